import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { answered, builtInPath, debug, referencePath, run } from '../program.ts';
import { requires } from '../requirements.ts';
import { Node } from './node.ts';

let node: Node;
beforeEach(() => {
  node = new Node();
  node.cniPath = [builtInPath, ...referencePath].join(':');
});
afterEach(() => node.remove());

/** What an attachment of the network leaves on disk and in the kernel, by them and not by the plugins. */
function leftovers(network: string) {
  const folder = join(node.scratch.folder, 'leases', network);
  return {
    inPod: node.links(node.pod).filter((name) => name !== 'lo'),
    veths: node.links(node.node).filter((name) => name.startsWith('veth')),
    leases: existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9]/.test(name)) : [],
    elements: [...node.onNode('nft', 'list', 'ruleset').matchAll(/elements = \{/g)].map(String),
  };
}

const nothing = { inPod: [], veths: [], leases: [], elements: [] };

/** The records of kind `call`. */
const calls = () => node.scratch.records().filter(({ kind }) => kind === 'call');

const stepsOf = ({ steps }: { steps: { name: string }[] }) => steps.map(({ name }) => name);

/** A command that `chain` does not have, with the one plugin of the list. */
function call(command: string, conflist: string, keys: object = {}, variables: Record<string, string> = {}) {
  const { cniVersion, name, plugins } = JSON.parse(conflist);
  const environment = { ...node.scratch.environment(command), CNI_PATH: node.cniPath, ...variables };
  const stdin = JSON.stringify({ ...plugins[0], cniVersion, name, ...keys });
  return run(['ip', 'netns', 'exec', node.node, ...debug], { environment, stdin });
}

describe.if(requires('root', 'ip', 'nft'))('debug as the bridge itself', () => {
  const file = '40-debug-standalone-bridge.conflist';

  test('ADD, CHECK and DEL, with every step in the record', () => {
    const conflist = node.conflist(file);
    const result = node.chain('add', conflist);
    expect(result).toMatchObject({
      cniVersion: '1.1.0',
      interfaces: [{ name: 'cni3' }, {}, { name: 'eth0', sandbox: node.netns }],
      ips: [{ address: '10.25.0.2/16', gateway: '10.25.0.1', interface: 2 }],
    });
    expect(node.inPod('ip', '-4', 'addr', 'show', 'eth0')).toContain('10.25.0.2/16');
    node.inPod('ping', '-c1', '-W30', '10.25.0.1');
    expect(leftovers('lab').elements).toHaveLength(1);

    const [record] = calls();
    expect(record).toMatchObject({ command: 'ADD', plugin: 'debug', findings: [], delegates: [], result });
    expect(stepsOf(record)).toEqual(
      expect.arrayContaining([
        'bridge ADD',
        'bridge: create bridge "cni3"',
        'bridge: wait for the lease lock',
        'bridge: take addresses',
        'bridge: add 10.25.0.2/16 to "eth0"',
        expect.stringMatching(/^commit \d+ changes of nftables$/),
      ]),
    );

    expect(node.chain('check', conflist)).toBeNull();
    expect(node.chain('del', conflist)).toBeNull();
    expect(node.chain('del', conflist)).toBeNull();
    expect(leftovers('lab')).toEqual(nothing);
    expect(calls().filter(({ error, findings }) => error || findings.length > 0)).toEqual([]);
  });

  test('CHECK names what differs', () => {
    const conflist = node.conflist(file);
    node.chain('add', conflist);
    node.inPod('ip', 'addr', 'flush', 'dev', 'eth0');
    const error = node.chain('check', conflist);
    expect(error.msg + error.details).toContain('10.25.0.2/16');
  });

  // One by itself: a runtime sends a DEL after an ADD that failed.
  const add = (conflist: string) =>
    call('ADD', conflist, {}, { CNI_NETNS: node.netns, CNI_CONTAINERID: 'pod1' });

  test('an ADD that is refused leaves what was there', async () => {
    const conflist = node.conflist(file);
    node.chain('add', conflist);
    const before = leftovers('lab');
    expect(await add(conflist)).toMatchObject({ status: 1 });
    expect(leftovers('lab')).toEqual(before);
    expect(before).toMatchObject({ inPod: ['eth0'], leases: ['10.25.0.2'] });
    expect(node.chain('check', conflist)).toBeNull();
  });

  test("nor does it take another plugin's eth0 away", async () => {
    node.onNode('ip', 'link', 'add', 'other0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', node.pod);
    expect(answered(await add(node.conflist(file))).msg).toContain('eth0');
    expect(leftovers('lab')).toEqual({ ...nothing, inPod: ['eth0'] });
  });

  test('STATUS and GC', async () => {
    const conflist = node.conflist(file);
    node.chain('add', conflist);
    expect(await call('STATUS', conflist)).toMatchObject({ status: 0, stdout: '' });
    const valid = [{ containerID: 'pod1', ifname: 'eth0' }];
    expect(await call('GC', conflist, { 'cni.dev/valid-attachments': valid })).toMatchObject({ status: 0 });
    expect(leftovers('lab').leases).toEqual(['10.25.0.2']);
    expect(await call('GC', conflist, { 'cni.dev/valid-attachments': [] })).toMatchObject({ status: 0 });
    expect(leftovers('lab')).toEqual(nothing);
  });

  test('a strict hook that fails leaves nothing', () => {
    const document = JSON.parse(node.conflist(file));
    Object.assign(document.plugins[0], { addHooks: [['false']], strictHooks: true });
    expect(node.chain('add', JSON.stringify(document))).toMatchObject({ code: 102 });
    expect(leftovers('lab')).toEqual(nothing);
  });

  test('DEL with the namespace gone removes all there is', async () => {
    const conflist = node.conflist(file);
    node.chain('add', conflist);
    const gone = { CNI_NETNS: '', CNI_CONTAINERID: 'pod1' };
    expect(await call('DEL', conflist, {}, gone)).toMatchObject({ status: 0, stdout: '' });
    expect(leftovers('lab')).toEqual(nothing);
  });
});

describe.if(requires('root', 'ip', 'nft'))('a delegate that is built in', () => {
  const file = '20-debug-wraps-bridge.conflist';

  test('runs in process, and its steps are in the record', () => {
    const conflist = node.conflist(file);
    const result = node.chain('add', conflist);
    node.inPod('ping', '-c1', '-W30', result.ips[0].gateway);
    const [record] = calls();
    expect(record.delegates).toEqual([
      {
        ...{ type: 'bridge', command: 'ADD', inProcess: true, duration: expect.any(Number) },
        ...{ at: expect.any(Number), spanID: expect.stringMatching(/^[0-9a-f]{16}$/) },
        stdin: expect.objectContaining({ type: 'bridge', name: 'vietstack', cniVersion: '1.0.0' }),
      },
    ]);
    expect(stepsOf(record)).toContain('delegate ADD bridge');
    expect(stepsOf(record)).toContain('bridge: create bridge "cni1"');
    expect(node.chain('check', conflist)).toBeNull();
    expect(node.chain('del', conflist)).toBeNull();
    expect(leftovers('vietstack')).toEqual(nothing);
  });

  test('an error of its own is passed on as it is, and ADD leaves nothing', () => {
    const document = JSON.parse(node.conflist(file));
    document.plugins[0].delegate.ipam.ranges = [[{ subnet: '10.23.0.0/30', rangeEnd: '10.23.0.1' }]];
    const error = node.chain('add', JSON.stringify(document));
    expect(error.msg).toContain('no IP addresses available in range set: 10.23.0.1-10.23.0.1');
    expect(error.details).toContain(`in ${node.scratch.journal}`);
    expect(leftovers('vietstack')).toEqual(nothing);
  });

  test('host-local by itself', () => {
    const ipam = { type: 'host-local', subnet: '10.27.0.0/24', dataDir: join(node.scratch.folder, 'leases') };
    const logs = { cniOutput: false, journal: { path: node.scratch.journal } };
    const plugins = [{ type: 'debug', ...logs, delegate: { type: 'host-local', ipam } }];
    const conflist = JSON.stringify({ cniVersion: '1.0.0', name: 'addresses', plugins });
    expect(node.chain('add', conflist).ips).toEqual([{ address: '10.27.0.2/24', gateway: '10.27.0.1' }]);
    expect(leftovers('addresses').leases).toEqual(['10.27.0.2']);
    expect(calls()[0].delegates).toMatchObject([{ type: 'host-local', inProcess: true }]);
    expect(node.chain('del', conflist)).toBeNull();
    expect(leftovers('addresses')).toEqual(nothing);
  });
});

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('with "external": true', () => {
  test.each([
    ['our own executable', () => builtInPath],
    ['the reference', () => referencePath.find((path) => existsSync(`${path}/bridge`)) ?? ''],
  ])('%s is executed', (_, folder) => {
    // Without it, this folder's would be the one to decide.
    node.cniPath = [folder(), builtInPath, ...referencePath].join(':');
    const document = JSON.parse(node.conflist('20-debug-wraps-bridge.conflist'));
    document.plugins[0].external = true;
    const conflist = JSON.stringify(document);
    node.chain('add', conflist);
    expect(calls()[0].delegates).toMatchObject([{ argv: [`${folder()}/bridge`], status: 0 }]);
    expect(node.chain('check', conflist)).toBeNull();
    // What one of them made, the other removes.
    document.plugins[0].external = false;
    node.cniPath = [builtInPath, ...referencePath].join(':');
    expect(node.chain('del', JSON.stringify(document))).toBeNull();
    expect(calls().at(-1).delegates).toMatchObject([{ inProcess: true }]);
    expect(leftovers('vietstack')).toEqual(nothing);
  });

  test('and without it the reference, where that comes first in CNI_PATH', () => {
    node.cniPath = [...referencePath, builtInPath].join(':');
    node.chain('add', node.conflist('20-debug-wraps-bridge.conflist'));
    expect(calls()[0].delegates).toMatchObject([{ argv: [expect.stringMatching(/\/bridge$/)], status: 0 }]);
  });
});
