import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requires } from '../requirements.ts';
import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads a record as the operator's jq does.
type Record = any;

const own = (keys: object = {}) => ({
  ...{ ...debugPlugin, bridge: 'cni7', isGateway: true, ipMasq: true },
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.23.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] },
  ...keys,
});
const network = (name: string, ...plugins: object[]) => ({ cniVersion: '1.0.0', name, plugins });

async function records(node: OperatorNode): Promise<Record[]> {
  const text = await node.sh('cat /var/log/cni-debug/journal.ndjson 2>/dev/null || true');
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));
}

/** The last record of a command; `done` is none of kind `begin`. */
async function lastOf(node: OperatorNode, command: string, kind = 'call'): Promise<Record> {
  return (await records(node)).findLast((record) => record.command === command && record.kind === kind);
}

describe.if(requires('root', 'ip'))('replay', () => {
  let node: OperatorNode;
  let before: string[];
  beforeAll(async () => {
    node = await OperatorNode.start();
  });
  afterAll(() => node[Symbol.asyncDispose]());

  /** Replays a record; nothing of the node may have changed by it. */
  async function replayed(words: string) {
    before = await node.snapshot();
    const journal = await node.sh('sha256sum /var/log/cni-debug/* 2>&1 || true');
    const answer = await node.type(`replay ${words}`);
    expect(await node.snapshot()).toEqual(before);
    expect(await node.sh('sha256sum /var/log/cni-debug/* 2>&1 || true')).toBe(journal);
    return answer;
  }

  test.each([
    ['chained', bridgeNetwork('chained', '10.22.0.0/16', [debugPlugin])],
    ['own', network('own', own())],
    [
      'wrapped',
      network('wrapped', { ...debugPlugin, delegate: { ...own(), type: 'bridge', bridge: 'cni8' } }),
    ],
  ])('ADD, CHECK and DEL of %s go as they went', async (name, configuration) => {
    node.configure(`10-${name}.conflist`, configuration);
    const ids: string[] = [];
    for (const pod of [`${name}1`, `${name}2`]) {
      await node.pod(pod);
      await node.typed(`add ${name} ${pod}`);
    }
    ids.push((await lastOf(node, 'ADD')).id);
    await node.typed(`check ${name} ${name}2`);
    ids.push((await lastOf(node, 'CHECK')).id);
    await node.typed(`del ${name} ${name}2`);
    ids.push((await lastOf(node, 'DEL')).id);
    for (const id of ids) {
      const { stdout, stderr, status } = await replayed(`--diff ${id}`);
      expect(stderr).toBe('');
      expect(stdout).toContain('the outcome is the same\n');
      expect(stdout).not.toContain('@@');
      expect(status).toBe(0);
    }
    // The second address of the pool, and not the first of an empty one.
    const { stdout } = await replayed(ids[0] ?? '');
    expect(stdout.match(/ms {2}10\.2[23]\.0\.3\/16$/gm)).toHaveLength(2);
  });

  test('a link that the configuration builds on has a stand-in, and so has a chain of two families', async () => {
    const ranges = [[{ subnet: '10.25.0.0/24' }], [{ subnet: 'fd00:25::/64' }]];
    const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
    const delegate = { type: 'macvlan', master: 'up9', ipam: { type: 'host-local', ranges, routes } };
    node.configure('15-mac.conflist', network('mac', { ...debugPlugin, delegate }, debugPlugin));
    await node.sh('ip link add up9 type veth peer name up9p; ip link set up9 up; ip link set up9p up');
    await node.pod('mac');
    await node.typed('add mac mac');
    await node.typed('check mac mac');
    const peers = { type: 'host-routes', routes: [{ dst: '10.98.0.0/24', dev: 'up9' }] };
    node.configure(
      '18-peers.conflist',
      network('peers', own({ bridge: 'cni4' }), { ...debugPlugin, delegate: peers }),
    );
    await node.pod('peers');
    await node.typed('add peers peers');
    await node.typed('check peers peers');
    const isOf = ({ network, kind, configuration }: Record) =>
      kind === 'call' && (network === 'mac' || configuration.delegate?.type === 'host-routes');
    for (const { id, command } of (await records(node)).filter(isOf)) {
      const { stdout, stderr } = await replayed(`--diff ${id}`);
      expect(`${command} ${stderr}${stdout}`).toContain('the outcome is the same');
      expect(stdout).toMatch(/stand-ins for what the node had: (up9|eth0|up9, cni4, eth0)\n/);
    }
  });

  test('an error that comes again is the same, also from a file, and as JSON', async () => {
    const fault = { commands: ['ADD'], error: { code: 11, msg: 'not \u001b[31mnow' } };
    node.configure('20-faulty.conflist', network('faulty', own({ allowFaults: true, fault })));
    await node.pod('faulty');
    const { stderr, status: failed } = await node.type('add faulty faulty');
    expect(stderr).toContain('not \\e[31mnow');
    expect(failed).toBe(1);
    const record = await lastOf(node, 'ADD');
    expect(record.error.code).toBe(11);
    node.write('/var/record.json', record);
    const { stdout, status } = await replayed('/var/record.json --format json');
    expect(status).toBe(0);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ record: record.id, isSame: true, difference: [] });
    expect(answer.recorded.error).toMatchObject({ code: 11, msg: 'not \u001b[31mnow' });
    expect(answer.replayed.error).toMatchObject({ code: 11, msg: 'not \u001b[31mnow' });
  });

  test('an error of what the node had does not come again: status 1, and the difference', async () => {
    const taken = { type: 'host-local', ranges: [[{ subnet: '10.24.0.0/30', rangeEnd: '10.24.0.2' }]] };
    node.configure('30-small.conflist', network('small', own({ bridge: 'cni9', ipam: taken })));
    await node.pod('small1');
    await node.pod('small2');
    await node.typed('add small small1');
    expect((await node.type('add small small2')).status).toBe(1);
    const { id } = await lastOf(node, 'ADD');
    const { stdout, status } = await replayed(`--diff ${id}`);
    expect(status).toBe(1);
    expect(stdout).toContain('the outcome differs');
    expect(stdout).toMatch(/recorded .* error 999: failed to allocate/);
    expect(stdout).toMatch(/replayed .* 10\.24\.0\.2\/30/);
    expect(stdout).toContain('--- answer\n+++ answer\n@@ ');
    expect(stdout).toMatch(/^\+ .*"address": "10\.24\.0\.2\/30"/m);
  });

  test('what was redacted is asked for by its path, and is not printed', async () => {
    const script = `case "$CNI_COMMAND" in ADD) grep -q '"token":"open sesame"' || { echo '{"code": 77, "msg": "wrong token"}'; exit 1; }
      echo '{"cniVersion": "1.0.0", "interfaces": [{"name": "open sesame"}]}';; esac`;
    node.write('/opt/cni/bin/guarded', `#!/bin/sh\n${script}\n`);
    await node.sh('chmod 755 /opt/cni/bin/guarded');
    const delegate = { type: 'guarded', token: 'open sesame' };
    node.configure('40-guarded.conflist', network('guarded', { ...debugPlugin, validate: 'off', delegate }));
    await node.pod('guarded');
    await node.typed('add guarded guarded --args SECRET_KEY=abc;K8S_POD_NAME=p', {});
    const { id } = await lastOf(node, 'ADD');
    const refused = await replayed(id);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain(
      'has 2 values that were redacted: configuration.delegate.token, environment.CNI_ARGS',
    );
    expect(refused.stderr).toContain("--set 'configuration.delegate.token=VALUE'");
    expect((await replayed(`${id} --leave-out`)).stdout).toContain('error 77: wrong token');
    const argv = ['replay', id, '--leave-out', '--set', 'configuration.delegate.token=open sesame'];
    const { status, stdout } = await node.type(argv);
    expect(stdout).toContain('the outcome is the same');
    expect(status).toBe(0);
  });

  test('a plugin cannot reach the node, and one below /tmp is found', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
    const marks = [
      '/etc/mark',
      '/opt/cni/bin/mark',
      '/var/lib/mark',
      '/run/mark',
      `${folder}/mark`,
      '/opt/mark',
    ];
    const script = `for mark in ${marks.join(' ')}; do echo x > $mark && echo "wrote $mark" >&2; done
      ip link add mark type bridge >/dev/null; [ -e /sys/class/net/mark ] && echo "sys is its own" >&2
      [ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion": "1.0.0"}'`;
    writeFileSync(join(folder, 'rude'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    try {
      const rude = { ...debugPlugin, delegate: { type: 'rude' } };
      node.configure('50-rude.conflist', network('rude', rude));
      await node.pod('rude');
      await node.typed(`add rude rude --plugin-dir /opt/cni/bin:${folder}`);
      const record = await lastOf(node, 'ADD');
      await node.sh(`rm ${marks.join(' ')}; ip link del mark`);
      const { stdout, status } = await replayed(`${record.id} --format json`);
      expect(status).toBe(0);
      const { stderr } = JSON.parse(stdout);
      expect(stderr.match(/wrote \S+/g)).toEqual(['wrote /var/lib/mark', 'wrote /run/mark']);
      expect(stderr).toContain('sys is its own');
      for (const mark of marks) expect(existsSync(node.path(mark))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('behind a loopback, with two addresses of one gateway; and with leases that only flannel knows of', async () => {
    const ranges = [
      [{ subnet: '10.29.0.0/24', rangeEnd: '10.29.0.100' }],
      [{ subnet: '10.29.0.0/24', rangeStart: '10.29.0.101', gateway: '10.29.0.1' }],
    ];
    const ipam = { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }] };
    const bridge = { type: 'bridge', bridge: 'cni5', isGateway: true, ipam };
    node.configure('16-lo.conflist', network('lo', { type: 'loopback' }, bridge, debugPlugin));
    await node.sh(
      "mkdir -p /run/flannel; printf 'FLANNEL_%s\n' NETWORK=10.35.0.0/16 SUBNET=10.35.1.1/24 MTU=1450 IPMASQ=true > /run/flannel/subnet.env",
    );
    node.configure('17-flannel.conflist', network('fl', { ...debugPlugin, delegate: { type: 'flannel' } }));
    for (const [network, pod] of ['lo lo1', 'fl fl1', 'fl fl2'].map((words) => words.split(' '))) {
      await node.pod(pod ?? '');
      await node.typed(`add ${network} ${pod}`);
      const { id } = await lastOf(node, 'ADD');
      const { stdout, stderr } = await replayed(`--diff ${id}`);
      expect(stderr + stdout).toContain('the outcome is the same');
    }
  });

  test('folders for state and logs that the node does not have are elsewhere; a mount that another hides is no hindrance', async () => {
    const places = { cniOutput: '/srv/there/log', journal: { path: '/srv/there/journal' } };
    const ipam = { type: 'host-local', dataDir: '/srv/there/leases', subnet: '10.28.0.0/24' };
    node.configure('55-there.conflist', network('there', own({ bridge: 'cni6', ipam, ...places })));
    await node.sh('mount -t tmpfs scratch /srv; mkdir /srv/there');
    await node.pod('there');
    await node.typed('add there there');
    await node.typed('del there there');
    const journal = await node.sh('cat /srv/there/journal');
    await node.sh('umount /srv');
    node.write('/var/there.ndjson', journal);
    await node.sh(
      'mount -t tmpfs lower /srv; mkdir /srv/a; mount -t tmpfs hidden /srv/a; mount -t tmpfs upper /srv',
    );
    try {
      const { stdout, stderr } = await replayed('/var/there.ndjson --format json');
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toMatchObject({ isSame: true, stderr: '' });
      expect(JSON.parse(stdout).steps).toContainEqual({
        ...{ name: 'bridge: release addresses', recorded: expect.any(Number), replayed: expect.any(Number) },
      });
      expect(await node.sh('ls /srv')).toBe('');
    } finally {
      await node.sh('umount /srv; umount /srv/a; umount /srv');
    }
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('%s in the middle of it leaves nothing', async (signal, expected) => {
    const fault = { commands: ['ADD'], delay: '2s' };
    node.configure('60-slow.conflist', network('slow', own({ allowFaults: true, fault })));
    await node.sh('ip netns del slow 2>/dev/null || true');
    await node.pod('slow');
    await node.typed('add slow slow');
    const { id } = await lastOf(node, 'ADD');
    await node.typed('del slow slow');
    before = await node.snapshot();
    const mounts = await node.sh('cat /proc/self/mountinfo');
    const started = (pid: number) => setTimeout(() => process.kill(pid, signal), 1200);
    const answer = await node.type(`replay ${id}`, { started });
    expect(answer.status).toBe(expected);
    expect(await node.snapshot()).toEqual(before);
    expect(await node.sh('cat /proc/self/mountinfo')).toBe(mounts);
  });

  test('a call that never ended is replayed, too', async () => {
    const fault = { commands: ['ADD'], delay: '3s' };
    node.configure('70-killed.conflist', network('killed', own({ allowFaults: true, fault })));
    await node.pod('killed');
    const adding = node.type('add killed killed');
    let begun: Record;
    while (begun?.network !== 'killed') begun = await lastOf(node, 'ADD', 'begin');
    process.kill(begun.process.pid, 'SIGKILL');
    expect((await adding).status).toBe(1);
    const { stdout, status } = await replayed(begun.id);
    expect(status).toBe(1);
    expect(stdout).toMatch(/recorded +- +never ended/);
  });

  test.each([
    ['0123456789abcdef', 'no record "0123456789abcdef" in /var/log/cni-debug/journal.ndjson'],
    ['/etc/hostname', '/etc/hostname has no record in it'],
    ['last --plugin-dir /none', 'plugin "debug" was not found in /none (CNI_PATH)'],
  ])('%s cannot be replayed: status 3', async (words, message) => {
    const { status, stderr } = await replayed(words);
    expect(stderr).toContain(message);
    expect(status).toBe(3);
  });
});
