import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '../../../plugins/debug/configuration.ts';
import { answered, executable, run } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { cniPath, type Json, WatchedNode } from './watched-node.ts';

let node: WatchedNode;
beforeEach(() => {
  node = new WatchedNode();
});
afterEach(() => node.remove());

describe.if(requires('root', 'ip', 'nft'))('what cannot be looked at', () => {
  test('the namespace that is gone at DEL is a finding, and DEL goes on', async () => {
    node.cniPath = cniPath.ours;
    const conflist = node.wrapping(node.bridge());
    node.chain('add', conflist);
    const { plugins, ...list } = JSON.parse(conflist);
    const gone = { CNI_CONTAINERID: 'pod1', CNI_NETNS: '/run/netns/not-there' };
    expect(await node.call('DEL', { ...list, ...plugins[0] }, gone)).toMatchObject({ status: 0, stdout: '' });
    expect(node.lastCall().findings).toEqual([
      {
        rule: 'snapshot-failed',
        object: 'container',
        message: expect.stringContaining('/run/netns/not-there'),
      },
    ]);
    expect(node.sentences()).toEqual([expect.stringMatching(/^bridge: - link veth\w+ \(veth\); /)]);
    // A runtime that has forgotten the path says so, and then there is nothing to look at.
    expect(
      await node.call('DEL', { ...list, ...plugins[0] }, { CNI_CONTAINERID: 'pod1', CNI_NETNS: '' }),
    ).toMatchObject({ status: 0 });
    expect(node.lastCall()).toMatchObject({ findings: [], changes: [] });
  });

  test('all of it, by whoever may not: a finding for each, and the call is answered', async () => {
    const { folder } = node.scratch;
    // Where nobody can read and write.
    chmodSync(folder, 0o755);
    const own = join(folder, 'own');
    mkdirSync(own);
    chownSync(own, nobody, nobody);
    const program = join(own, 'debug');
    cpSync(executable.BIN, program);
    cpSync(executable.KOFFI, join(own, 'koffi.node'));
    chownSync(join(own, 'koffi.node'), nobody, nobody);
    const journal = join(own, 'journal.ndjson');
    const prevResult = { cniVersion: '1.0.0', ips: [{ address: '10.22.0.5/16' }] };
    const keys = { snapshot: true, prevResult, validate: 'off', addHooks: [['true']] };
    const document = {
      cniVersion: '1.0.0',
      name: 'net',
      type: 'debug',
      journal: { path: journal },
      cniOutput: false,
    };
    const environment = { ...node.scratch.environment('ADD'), CNI_NETNS: node.netns };
    const as = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--inh-caps=-all'];
    const argv = ['ip', 'netns', 'exec', node.node, ...as, '--', program];
    const answer = await run(argv, { environment, stdin: JSON.stringify({ ...document, ...keys }) });
    expect(answered(answer).ips).toEqual(prevResult.ips);
    const [record] = readFileSync(journal, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === 'call');
    const failed = record.findings.filter(({ rule }: Json) => rule === 'snapshot-failed');
    expect(failed.map(({ object, message }: Json) => `${object}: ${message}`)).toEqual([
      expect.stringMatching(/^host: snapshot of the host's nftables: .*EPERM/),
      expect.stringMatching(/^container: snapshot of the container's nftables: .*EPERM/),
      expect.stringMatching(/^container: snapshot of the container's links: .*EPERM/),
    ]);
    expect(record.changes).toEqual([]);
  });
});

const nobody = 65534;

describe.if(requires('root', 'ip'))('without the key', () => {
  test('there is nothing of it', () => {
    const document = JSON.parse(node.wrapping({ type: 'loopback' }));
    node.cniPath = cniPath.ours;
    for (const snapshot of [undefined, false]) {
      node.chain('add', JSON.stringify({ ...document, plugins: [{ ...document.plugins[0], snapshot }] }));
      const record = node.lastCall();
      expect('changes' in record).toBe(false);
      expect(record.steps.map(({ name }: Json) => name)).not.toContain('snapshot');
    }
    node.chain('add', JSON.stringify(document));
    expect(node.lastCall().steps.filter(({ name }: Json) => name === 'snapshot')).toHaveLength(3);
  });

  test('and it is no flag but true or false', () => {
    expect(readSettings({ snapshot: 'yes' }).problems).toEqual([
      expect.objectContaining({ path: 'snapshot' }),
    ]);
  });

  test('a debug that only passes on looks at nothing', async () => {
    const prevResult = { cniVersion: '1.0.0', ips: [{ address: '10.22.0.5/16' }] };
    await node.scratch.call(
      'ADD',
      { snapshot: true, prevResult, validate: 'off' },
      { CNI_NETNS: node.netns },
    );
    expect('changes' in node.lastCall()).toBe(false);
  });
});
