import { expect, test } from 'bun:test';
import { chainNodes } from '../../../src/cli/page/chain-nodes.ts';
import { newObject } from '../../../src/cni/json.ts';
import { livesOf } from '../../../src/trace/life.ts';
import { type Recorded, recorded } from '../../trace/recorded.ts';

const chain = ['bridge', 'debug', 'portmap', 'debug', 'tuning'].map((type) => newObject([['type', type]]));

function nodesOf(records: readonly Recorded[], sentences: readonly string[] = []) {
  const [operation] = livesOf(records.map(recorded), () => [chain])[0]?.operations ?? [];
  if (operation === undefined) throw new Error('there is no operation');
  return chainNodes(operation, () => sentences);
}

test('plugins that keep no record have their place', () => {
  const nodes = nodesOf([{ id: 'a000000000000001' }, { id: 'a000000000000002', at: 50 }]);
  expect(nodes.map(({ name, state, span }) => [name, state, span])).toEqual([
    ['bridge', 'unrecorded', undefined],
    ['debug', 'good', 'a000000000000001'],
    ['portmap', 'unrecorded', undefined],
    ['debug', 'good', 'a000000000000002'],
    ['tuning', 'unrecorded', undefined],
  ]);
});

const steps = [
  { name: 'delegate ADD bridge', at: 0, duration: 4 },
  { name: 'bridge: create bridge "br"', at: 1, duration: 1 },
  { name: 'bridge: get link "br"', at: 2, duration: 1 },
  { name: 'bridge: delete link "old"', at: 3, duration: 0.5 },
  { name: 'commit 3 changes of nftables', at: 5, duration: 1 },
  { name: 'set link "x" up', at: 7, duration: 1, error: 'no' },
];

test('what a plugin changed is told by its steps, where nobody has looked', () => {
  const [, debug] = nodesOf([{ steps, delegates: [{ type: 'bridge', command: 'ADD' }] }]);
  expect(debug?.inside[0]?.changes).toEqual([
    { sign: '+', text: 'create bridge "br"' },
    { sign: '-', text: 'delete link "old"' },
  ]);
  expect(debug?.changes).toEqual([{ sign: '~', text: 'commit 3 changes of nftables' }]);
});

test('the sentences of a snapshot stand with the plugin that they are about', () => {
  const sentences = [
    'bridge: + link br (bridge); sysctl net.ipv4.ip_forward 0 -> 1; map m: + tcp 80 -> 10.0.0.2:80',
    'bridge in the container: - route 10.0.0.0/8',
    'meanwhile, container c2: + link veth1',
  ];
  const [, debug] = nodesOf([{ steps, delegates: [{ type: 'bridge', command: 'ADD' }] }], sentences);
  expect(debug?.inside[0]?.changes).toEqual([
    { sign: '+', text: 'link br (bridge)' },
    { sign: '~', text: 'sysctl net.ipv4.ip_forward 0 -> 1' },
    { sign: '', text: 'map m: + tcp 80 -> 10.0.0.2:80' },
    { sign: '-', text: 'route 10.0.0.0/8 (container)' },
  ]);
  expect(debug?.changes.map(({ text }) => text)).toEqual(sentences.slice(2));
});
