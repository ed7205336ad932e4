import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { builtInPath, referencePath } from '../program.ts';
import { requires } from '../requirements.ts';
import { Node } from './node.ts';
import { snapshotOf } from './snapshot.ts';

const file = '50-debug-delegate-list.conflist';

let node: Node;
beforeEach(() => {
  node = new Node();
  node.cniPath = builtInPath;
});
afterEach(() => node.remove());

/** The records of kind `call`. */
const calls = () => node.scratch.records().filter(({ kind }) => kind === 'call');

const delegatesOf = ({ delegates }: { delegates: Record<string, string>[] }) =>
  delegates.map(({ command, type }) => `${command} ${type}`);

/** The transactions of nftables that a call made. */
const commitsOf = ({ steps }: { steps: { name: string }[] }) =>
  steps.filter(({ name }) => /(^|: )commit \d+ changes of nftables$|(^|: )(add|delete) element/.test(name));

const everything = () => snapshotOf(`/run/netns/${node.node}`);

describe.if(requires('root', 'ip', 'nft'))('a list of delegates', () => {
  test('ADD, CHECK and DEL of a bridge and a portmap in one process', () => {
    const conflist = node.conflist(file);
    const result = node.chain('add', conflist);
    const [{ address, gateway }] = result.ips;
    node.inPod('ping', '-c1', '-W30', gateway);
    const ports = node.onNode('nft', 'list', 'map', 'inet', 'cni_debug', 'hostport_any4');
    expect(ports).toMatch(
      new RegExp(`tcp \\. 8080 comment "\\S+ cbr2 eth0 pod1" : ${address.split('/')[0]} \\. 80`),
    );

    const [record] = calls();
    expect(record).toMatchObject({
      findings: [],
      delegates: [
        { type: 'bridge', command: 'ADD', inProcess: true },
        { type: 'portmap', command: 'ADD', inProcess: true, stdin: { prevResult: { ips: [{ address }] } } },
      ],
    });
    expect(commitsOf(record)).toHaveLength(1);

    expect(node.chain('check', conflist)).toBeNull();
    expect(node.chain('del', conflist)).toBeNull();
    expect(delegatesOf(calls().at(-1))).toEqual(['DEL portmap', 'DEL bridge']);
    expect(commitsOf(calls().at(-1))).toHaveLength(1);
    expect(node.onNode('nft', 'list', 'ruleset')).not.toContain('pod1');
    expect(node.links(node.node).filter((name) => name.startsWith('veth'))).toEqual([]);
  });

  test('one that refuses its configuration leaves nothing of the others', () => {
    const document = JSON.parse(node.conflist(file));
    document.plugins[0].delegate[1].conditionsV4 = ['--nonsense'];
    // The bridge, its table and forwarding are there for good.
    node.chain('add', node.conflist(file));
    node.chain('del', node.conflist(file));
    const before = everything();
    const error = node.chain('add', JSON.stringify(document));
    expect(error.msg).toContain('delegate 2 of 2 ("portmap"): conditionsV4: ');
    expect(delegatesOf(calls()[2])).toEqual(['ADD bridge', 'ADD portmap', 'DEL bridge']);
    expect(everything()).toEqual(before);
  });

  test('a host port that is taken, which shows only when all is committed, leaves nothing of the others', () => {
    const conflist = node.conflist(file);
    const other = JSON.parse(conflist);
    other.name = 'other';
    Object.assign(other.plugins[0].delegate[0], {
      bridge: 'cni5',
      ipam: { ...other.plugins[0].delegate[0].ipam },
    });
    other.plugins[0].delegate[0].ipam.ranges = [[{ subnet: '10.27.0.0/16' }]];
    node.chain('add', conflist);
    const links = node.links(node.node);
    node.inPod('ip', 'link', 'set', 'eth0', 'name', 'eth7');
    const error = node.chain('add', JSON.stringify(other));
    expect(error).toMatchObject({
      code: 103,
      msg: expect.stringContaining(
        'host port 8080/tcp is taken by "eth0" of container pod1 in network "cbr2"',
      ),
    });
    expect(delegatesOf(calls()[1])).toEqual(['ADD bridge', 'ADD portmap', 'DEL portmap', 'DEL bridge']);
    expect(node.links(node.node).filter((name) => name.startsWith('veth'))).toEqual(
      links.filter((name) => name.startsWith('veth')),
    );
    expect(node.onNode('nft', 'list', 'ruleset')).not.toMatch(/ other eth0 pod1/);
  });
});

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))(
  'a list with an executable in it',
  () => {
    beforeEach(() => {
      const folder = join(node.scratch.folder, 'reference');
      mkdirSync(folder);
      const found = referencePath.find((path) => existsSync(`${path}/portmap`)) ?? '';
      symlinkSync(join(found, 'portmap'), join(folder, 'portmap'));
      node.cniPath = [folder, builtInPath].join(':');
    });

    test('ADD, CHECK and DEL of a built-in bridge and an executed portmap', () => {
      const conflist = node.conflist(file);
      const result = node.chain('add', conflist);
      const port = `--to-destination ${result.ips[0].address.split('/')[0]}:80`;
      expect(node.onNode('iptables', '-t', 'nat', '-S')).toContain(port);
      expect(calls()[0]).toMatchObject({
        findings: [],
        delegates: [
          { type: 'bridge', command: 'ADD', inProcess: true },
          { type: 'portmap', command: 'ADD', status: 0 },
        ],
      });
      expect(node.chain('check', conflist)).toBeNull();
      expect(node.chain('del', conflist)).toBeNull();
      expect(calls().at(-1).delegates).toMatchObject([
        { type: 'portmap', command: 'DEL', status: 0 },
        { type: 'bridge', command: 'DEL', inProcess: true },
      ]);
      expect(node.onNode('iptables', '-t', 'nat', '-S')).not.toContain('--to-destination');
    });

    test('one that fails leaves nothing of the others', () => {
      const document = JSON.parse(node.conflist(file));
      document.plugins[0].delegate[1].conditionsV4 = ['--nonsense'];
      const error = node.chain('add', JSON.stringify(document));
      expect(error.msg).toContain('delegate 2 of 2 ("portmap"): ');
      expect(delegatesOf(calls()[0])).toEqual(['ADD bridge', 'ADD portmap', 'DEL portmap', 'DEL bridge']);
      expect(node.links(node.node).filter((name) => name.startsWith('veth'))).toEqual([]);
    });
  },
);
