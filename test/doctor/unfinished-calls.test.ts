import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pluginFacts } from '../../src/cli/plugin-facts.ts';
import { unfinishedCalls } from '../../src/doctor/facts/unfinished-calls.ts';
import { Survey } from '../../src/doctor/survey.ts';
import { bridgeNetwork, OperatorNode } from '../cli/operator-node.ts';
import {
  ago,
  canRun,
  diagnosis,
  doctor,
  findings,
  journal,
  script,
  soundNode,
  wrapping,
} from './doctor-node.ts';

/** Of a process that is gone, or was never there. */
const begun = {
  ...{ kind: 'begin', startedAt: ago(60), command: 'ADD', network: 'lab', msg: 'ADD lab eth0 stuck: begins' },
  attachment: { containerID: 'stuck', ifName: 'eth0', netns: '/run/netns/stuck' },
  process: { pid: 99_999_999 },
};

/** A plugin that works for as long as the node is there. */
async function hanging(node: OperatorNode): Promise<void> {
  await script(node, 'hangs', '[ "$CNI_COMMAND" = ADD ] && exec sleep 600\nexit 0');
  await node.pod('stuck');
}

async function killed(node: OperatorNode, line: string): Promise<void> {
  const call = node.type(line);
  await node.sh(
    `until pgrep -x sleep; do sleep 0.02; done; pkill -9 -f "^/opt/cni/bin/(cni-)?debug"; pkill -9 sleep`,
  );
  await call;
}

describe.if(canRun)('calls without an end', () => {
  test('one of debug whose process was killed, and the DEL that is typed', async () => {
    await using node = await soundNode();
    await hanging(node);
    node.configure('20-slow.conflist', wrapping('slow', { type: 'hangs' }));
    await killed(node, 'add slow stuck --container-id stuck');
    await node.sh('rm -rf /var/lib/cni/cni-debug');
    expect(await diagnosis(node)).toEqual(['D008 container stuck eth0']);
    const [found] = await findings(node);
    expect(found?.severity).toBe('warning');
    expect(found?.fix.join('\n')).toStartWith('cni-debug del slow ');
    expect(found?.evidence[0]).toMatchObject({ text: 'ADD slow eth0 stuck: begins' });
    expect(await diagnosis(node, 'doctor')).toEqual([]);
    await node.sh(found!.fix.join('\n'));
    expect(await diagnosis(node)).toEqual([]);
  });

  test('one of the command line, without a journal: the next call takes it back', async () => {
    await using node = await soundNode([]);
    await hanging(node);
    const bridge = bridgeNetwork('slow', '10.51.0.0/24', [{ type: 'hangs' }]);
    node.configure('20-slow.conflist', bridge);
    await killed(node, 'add slow stuck --container-id stuck');
    expect(await diagnosis(node)).toContain('D008 container stuck eth0');
    const found = (await findings(node)).find(({ id }) => id === 'D008');
    expect(found?.evidence).toEqual([
      { source: '/var/lib/cni/cni-debug/slow-stuck-eth0', text: 'begun: slow stuck eth0' },
    ]);
    expect(node.files('/var/lib/cni/cni-debug')).toContain('slow-stuck-eth0');
    await node.typed('del slow stuck --container-id stuck');
    expect(await diagnosis(node)).toEqual([]);
  });

  test('a claim and a record of one call are one finding', async () => {
    await using node = await soundNode();
    await hanging(node);
    node.configure('20-slow.conflist', wrapping('slow', { type: 'hangs' }));
    await killed(node, 'add slow stuck --container-id stuck');
    expect(await diagnosis(node)).toEqual(['D008 container stuck eth0']);
    expect((await findings(node))[0]?.evidence).toHaveLength(3);
  });

  test('one that has run for longer than a minute, and what it waits for', async () => {
    await using node = await soundNode();
    // The first process of the node was there before the record, as far as a record can say.
    const boot = node.read('/proc/sys/kernel/random/boot_id').trim();
    const running = {
      ...begun,
      startedAt: new Date(Date.now() + 500).toISOString(),
      process: { pid: 1 },
      boot,
    };
    await journal(node, [running]);
    expect(await diagnosis(node)).toEqual([]);
    await using whole = await nodeOfMachine();
    const young = spawn('sleep', ['60']);
    await journal(whole, [{ ...begun, startedAt: ago(90), process: { pid: young.pid }, boot }]);
    // That process is younger than the record says: another one had its number.
    const found = (await findings(whole)).filter(({ id }) => id === 'D008');
    young.kill();
    expect(found[0]?.cause).toContain('is gone');
    await journal(whole, [{ ...begun, startedAt: ago(90), process: { pid: 1 }, boot }]);
    const [call] = (await findings(whole)).filter(({ id }) => id === 'D008');
    expect(call?.cause).toMatch(/^ADD of network "lab" has been running for 9\d s: process 1\b/);
    expect(call?.fix).toContain('kill 1');
  });

  test.each([
    ['a DEL came later', [begun, { command: 'DEL', startedAt: ago(30) }], []],
    ['an ADD came later', [begun, { command: 'ADD', startedAt: ago(30) }], []],
    [
      'a DEL that failed came later',
      [begun, { command: 'DEL', startedAt: ago(30), error: { code: 5, msg: 'no' } }],
      ['D008 container stuck eth0'],
    ],
    [
      'a DEL of another container came later',
      [begun, { command: 'DEL', startedAt: ago(30), attachment: { containerID: 'other', ifName: 'eth0' } }],
      ['D008 container stuck eth0'],
    ],
    [
      'it ended',
      [
        { ...begun, id: 'a' },
        { ...begun, id: 'a', kind: 'call' },
      ],
      [],
    ],
    ['longer ago than a day', [{ ...begun, startedAt: ago(25 * 3600) }], []],
    ['GC', [{ ...begun, command: 'GC', attachment: {} }], ['D008 network lab']],
    ['of another network', [{ ...begun, network: 'other' }], []],
  ])('%s', async (_, records, expected) => {
    await using node = await soundNode([]);
    await journal(
      node,
      records.map((record) => ({ ...begun, kind: 'call', ...record })),
    );
    expect(await diagnosis(node, `${doctor} --network lab`)).toEqual(expected);
  });
});

/** With the processes of the machine: the first of them is older than a minute. */
async function nodeOfMachine(): Promise<OperatorNode> {
  const node = await OperatorNode.start();
  node.configure('10-lab.conflist', bridgeNetwork('lab', '10.50.0.0/28'));
  return node;
}

test('a call that ends while the node is looked at has ended', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
  try {
    const path = join(folder, 'journal.ndjson');
    const network = { cniVersion: '1.1.0', name: 'lab', plugins: [{ type: 'debug', journal: { path } }] };
    writeFileSync(join(folder, '10-lab.conflist'), JSON.stringify(network));
    const record = { ...begun, v: 1, id: 'a', plugin: 'debug', startedAt: ago(600) };
    writeFileSync(path, `${JSON.stringify(record)}\n`);
    const places = { confDir: folder, cacheDir: folder, pluginPath: folder, readers: {}, facts: pluginFacts };
    const look = () => new Survey({ ...places, minAgeMs: 0 });
    const survey = look();
    expect(survey.records()).toHaveLength(1);
    expect(unfinishedCalls(look()).map((call) => call.record.id)).toEqual(['a']);
    appendFileSync(path, `${JSON.stringify({ ...record, kind: 'call' })}\n`);
    expect(unfinishedCalls(survey)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
