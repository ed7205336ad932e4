// The objects of ruleset.nft, as ours.
import type { Batch } from '../../../src/kernel/nftables/batch.ts';
import { addChain, type Chain, type ChainName } from '../../../src/kernel/nftables/chain.ts';
import {
  interfaceField,
  macField,
  portField,
  protocolField,
} from '../../../src/kernel/nftables/data-type.ts';
import { addElements, type Element } from '../../../src/kernel/nftables/element.ts';
import type { Expression } from '../../../src/kernel/nftables/expression.ts';
import { addressIs, addressVerdict, verdict } from '../../../src/kernel/nftables/match.ts';
import { addRule } from '../../../src/kernel/nftables/rule.ts';
import { addSet, type SetType } from '../../../src/kernel/nftables/set.ts';
import { addTable } from '../../../src/kernel/nftables/table.ts';

export const INET = { family: 'inet', table: 'shop' } as const;
export const BRIDGE = { family: 'bridge', table: 'shop' } as const;

export const masquerade4: SetType = { ...INET, set: 'masquerade4', key: ['ipv4_addr'], data: 'verdict' };
export const hostport4: SetType = {
  ...INET,
  set: 'hostport4',
  key: ['ipv4_addr', 'inet_proto', 'inet_service'],
  data: ['ipv4_addr', 'inet_service'],
};
export const marks: SetType = { ...INET, set: 'marks', key: ['inet_service'], data: ['mark'] };
export const masquerade6: SetType = { ...INET, set: 'masquerade6', key: ['ipv6_addr'] };
export const ranges: SetType = { ...INET, set: 'ranges', key: ['ipv4_addr', 'inet_service'] };
export const ports: SetType = { ...BRIDGE, set: 'ports', key: ['ifname'] };
export const pairs: SetType = { ...BRIDGE, set: 'pairs', key: ['ifname', 'ether_addr'] };

export const subnet: ChainName = { ...INET, chain: 'subnet' };
export const postrouting: ChainName = { ...INET, chain: 'postrouting' };
export const prerouting: ChainName = { ...INET, chain: 'prerouting' };
export const guard: ChainName = { ...INET, chain: 'guard' };
export const bridgePrerouting: ChainName = { ...BRIDGE, chain: 'prerouting' };

export const chains: [ChainName, Pick<Chain, 'base' | 'comment'>][] = [
  [subnet, { comment: 'of network shop' }],
  [postrouting, { base: { type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' } }],
  [prerouting, { base: { type: 'nat', hook: 'prerouting', priority: -100, policy: 'accept' } }],
  [guard, { base: { type: 'filter', hook: 'forward', priority: 0, policy: 'drop' } }],
  [bridgePrerouting, { base: { type: 'filter', hook: 'prerouting', priority: -300, policy: 'accept' } }],
];

export const ip = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
export const ip6 = (...groups: number[]): Uint8Array => {
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups.entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
};

const loadAddress: Expression = { name: 'payload', base: 'network', offset: 16, length: 4, register: 1 };
const isIpv4 = addressIs('daddr', { ip: ip(0, 0, 0, 0), prefixLength: 0 });
const isIpv6 = addressIs('daddr', { ip: ip6(), prefixLength: 0 });

/** In the order in which nft sends them. */
export const rules: [ChainName, Expression[], string?][] = [
  [subnet, [...addressIs('daddr', { ip: ip(10, 22, 9, 9), prefixLength: 16 }), verdict({ kind: 'return' })]],
  [subnet, [...addressIs('daddr', { ip: ip(224, 0, 0, 0), prefixLength: 4 }), verdict({ kind: 'return' })]],
  [subnet, [...addressIs('daddr', { ip: ip6(0xfd00, 0x22), prefixLength: 60 }), verdict({ kind: 'return' })]],
  [subnet, [{ name: 'masq' }], 'the rest'],
  [postrouting, addressVerdict('saddr', masquerade4)],
  [
    postrouting,
    [
      ...isIpv6,
      { name: 'payload', base: 'network', offset: 8, length: 16, register: 1 },
      { name: 'lookup', register: 1, set: 'masquerade6' },
      { name: 'counter', packets: 0, bytes: 0 },
      verdict({ kind: 'goto', chain: 'subnet' }),
    ],
  ],
  [
    postrouting,
    [
      { name: 'ct', key: 'status', register: 1 },
      { name: 'bitwise', source: 1, register: 1, mask: ip(0x20, 0, 0, 0), xor: ip(0, 0, 0, 0) },
      { name: 'cmp', op: 'neq', register: 1, value: ip(0, 0, 0, 0) },
      { name: 'masq', flags: 4 },
    ],
  ],
  [
    prerouting,
    [
      { name: 'fib', of: 'daddr', result: 'type', register: 1 },
      { name: 'cmp', op: 'eq', register: 1, value: ip(2, 0, 0, 0) },
      ...isIpv4,
      loadAddress,
      { name: 'meta', key: 'l4proto', register: 9 },
      { name: 'payload', base: 'transport', offset: 2, length: 2, register: 10 },
      { name: 'lookup', register: 1, set: 'hostport4', result: 1 },
      { name: 'nat', of: 'dnat', family: 'ip', address: 1, port: 9 },
    ],
  ],
  [
    guard,
    [
      { name: 'meta', key: 'iifname', register: 1 },
      { name: 'cmp', op: 'neq', register: 1, value: interfaceField('eth0') },
      verdict({ kind: 'drop' }),
    ],
  ],
  [
    bridgePrerouting,
    [
      { name: 'meta', key: 'iifname', register: 1 },
      { name: 'lookup', register: 1, set: 'ports' },
      { name: 'meta', key: 'iifname', register: 1 },
      { name: 'payload', base: 'link', offset: 6, length: 6, register: 2 },
      { name: 'lookup', register: 1, set: 'pairs', inverted: true },
      verdict({ kind: 'drop' }),
    ],
  ],
];

export const elements: [SetType, Element[]][] = [
  [masquerade4, [{ key: [ip(10, 22, 0, 5)], comment: "a shop's", data: { kind: 'jump', chain: 'subnet' } }]],
  [masquerade4, [{ key: [ip(10, 22, 0, 6)], data: { kind: 'accept' } }]],
  [
    hostport4,
    [
      {
        key: [ip(192, 0, 2, 1), protocolField('tcp'), portField(8080)],
        comment: 'a port',
        data: [ip(10, 22, 0, 5), portField(80)],
      },
    ],
  ],
  [masquerade6, [{ key: [ip6(0xfd00, 0x22, 0, 0, 0, 0, 0, 5)] }]],
  [ports, [{ key: [interfaceField('veth0')], comment: 'a port' }]],
  [pairs, [{ key: [interfaceField('veth0'), macField('02:00:00:00:00:05')], comment: 'a pair' }]],
];

/** All of ruleset.nft. */
export function writeShop(batch: Batch): void {
  addTable(batch, INET, 'of a test');
  addTable(batch, BRIDGE);
  for (const [name, options] of chains) addChain(batch, name, options);
  addSet(batch, masquerade4, { comment: 'by source' });
  addSet(batch, hostport4);
  addSet(batch, marks);
  addSet(batch, masquerade6);
  addSet(batch, ranges, { interval: true });
  addSet(batch, ports);
  addSet(batch, pairs);
  for (const rule of rules) addRule(batch, ...rule);
  for (const [set, list] of elements) addElements(batch, set, list);
}

/** The same with all bytes in hexadecimal: a Uint8Array and a Buffer of the same bytes are equal. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, content]) => [key, plain(content)]));
}
