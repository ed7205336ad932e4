import type { Batch } from '../kernel/nftables/batch.ts';
import type { ChainName } from '../kernel/nftables/chain.ts';
import {
  addressField,
  dport,
  type Field,
  interfaceNameField,
  l4proto,
  loadFields,
  registerAt,
} from '../kernel/nftables/concatenation.ts';
import { interfaceField } from '../kernel/nftables/data-type.ts';
import type { Expression } from '../kernel/nftables/expression.ts';
import { addressIs, familyIs, verdict } from '../kernel/nftables/match.ts';
import { addSet, type SetType } from '../kernel/nftables/set.ts';
import { addTable } from '../kernel/nftables/table.ts';
import type { OwnedChain } from './owned-chain.ts';

// The part of host ports that is the same for all attachments: a few chains, which look into maps and sets.
//
//     map hostport4     { 192.0.2.1 . tcp . 8080 : 10.22.0.5 . 80 }        of one address of the node
//     map hostport_any4 { tcp . 8080 : 10.22.0.5 . 80 }                    of all its addresses
//     chain hostport {
//       dnat ip to ip daddr . meta l4proto . th dport map @hostport4
//       dnat ip to meta l4proto . th dport map @hostport_any4 }
//     chain hostport_prerouting { type nat hook prerouting priority dstnat; fib daddr type local jump hostport }
//     chain hostport_output     { type nat hook output priority dstnat;     ip6 daddr ::1 return
//                                                                          fib daddr type local jump hostport }
//
// What came by a host port, and whose answer would not find its way back through the node, gets the node's address:
//
//     chain hostport_masquerade {
//       ip saddr . ip daddr @hostport_self4 masquerade                     the container itself
//       iifname . oifname . ip daddr @hostport_bridge4 masquerade          another one of its bridge
//       ip saddr 127.0.0.0/8 ip daddr @hostport_local4 masquerade          the node, by 127.0.0.1
//       ip daddr @hostport_all4 masquerade }                               masqAll
//     chain hostport_postrouting { type nat hook postrouting priority srcnat; ct status dnat jump hostport_masquerade }
//
// `route_localnet`, which 127.0.0.1 needs, would let neighbours reach what listens on the node's 127.0.0.1:
//
//     chain hostport_guard { type filter hook prerouting priority raw; iifname != "lo" ip daddr 127.0.0.0/8 drop }

const TABLE = { family: 'inet', table: 'cni_debug' } as const;

/** The maps and sets of one family. */
export interface HostPortSets {
  readonly address: SetType;
  readonly any: SetType;
  readonly self: SetType;
  readonly bridge: SetType;
  /** Of IPv4 alone: by ::1 nobody is led to a container. */
  readonly local?: SetType;
  readonly all: SetType;
}

export const HOST_PORT_SETS: Readonly<Record<4 | 6, HostPortSets>> = { 4: setsOf(4), 6: setsOf(6) };

function setsOf(family: 4 | 6): HostPortSets {
  const address = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const data = [address, 'inet_service'] as const;
  return {
    address: {
      ...{ ...TABLE, set: `hostport${family}`, data },
      key: [address, 'inet_proto', 'inet_service'],
    },
    any: { ...TABLE, set: `hostport_any${family}`, key: ['inet_proto', 'inet_service'], data },
    self: { ...TABLE, set: `hostport_self${family}`, key: [address, address] },
    bridge: { ...TABLE, set: `hostport_bridge${family}`, key: ['ifname', 'ifname', address] },
    ...(family === 4 ? { local: { ...TABLE, set: 'hostport_local4', key: [address] } } : {}),
    all: { ...TABLE, set: `hostport_all${family}`, key: [address] },
  };
}

export const ALL_HOST_PORT_SETS: readonly SetType[] = [
  ...Object.values(HOST_PORT_SETS[4]),
  ...Object.values(HOST_PORT_SETS[6]),
];

export function addHostPortSets(batch: Batch): void {
  addTable(batch, TABLE, 'made by cni-debug');
  for (const set of ALL_HOST_PORT_SETS) addSet(batch, set);
}

/** In the order in which they can be made: what is jumped to is there before. */
export function hostPortChains(): OwnedChain[] {
  const dstnat = { type: 'nat', priority: -100 } as const;
  return [
    ownedChain('hostport', [...translations(4), ...translations(6)]),
    ownedChain('hostport_masquerade', [...masquerades(4), ...masquerades(6)]),
    ownedChain('hostport_prerouting', [toLocalAddress('hostport')], { ...dstnat, hook: 'prerouting' }),
    ownedChain('hostport_output', [notToLoopback6(), toLocalAddress('hostport')], {
      ...{ ...dstnat, hook: 'output' },
    }),
    ownedChain('hostport_postrouting', [translated('hostport_masquerade')], {
      ...{ type: 'nat', hook: 'postrouting', priority: 100 },
    }),
    ownedChain('hostport_guard', [loopbackOnly()], { type: 'filter', hook: 'prerouting', priority: -300 }),
  ];
}

function ownedChain(chain: string, rules: Expression[][], base?: OwnedChain['options']['base']): OwnedChain {
  const name: ChainName = { ...TABLE, chain };
  return { name, rules, options: base === undefined ? {} : { base } };
}

/** What is for one address of the node goes before what is for all. */
function translations(family: 4 | 6): Expression[][] {
  const { address, any } = HOST_PORT_SETS[family];
  const daddr = addressField('daddr', sizeOf(family));
  return [translation(family, address, [daddr, l4proto, dport]), translation(family, any, [l4proto, dport])];
}

function translation(family: 4 | 6, { set }: SetType, key: Field[]): Expression[] {
  const size = sizeOf(family);
  return [
    ...familyIs(size),
    ...loadFields(...key),
    { name: 'lookup', register: 1, set, result: 1 },
    { name: 'nat', of: 'dnat', family: family === 4 ? 'ip' : 'ip6', address: 1, port: registerAt(size) },
  ];
}

function masquerades(family: 4 | 6): Expression[][] {
  const { self, bridge, local, all } = HOST_PORT_SETS[family];
  const size = sizeOf(family);
  const [saddr, daddr] = [addressField('saddr', size), addressField('daddr', size)];
  const [iifname, oifname] = [interfaceNameField('iifname'), interfaceNameField('oifname')];
  const masquerade = ({ set }: SetType, ...key: Field[]): Expression[] => [
    ...loadFields(...key),
    { name: 'lookup', register: 1, set },
    { name: 'masq' },
  ];
  return [
    [...familyIs(size), ...masquerade(self, saddr, daddr)],
    [...familyIs(size), ...masquerade(bridge, iifname, oifname, daddr)],
    ...(local === undefined ? [] : [[...addressIs('saddr', LOOPBACK[4]), ...masquerade(local, daddr)]]),
    [...familyIs(size), ...masquerade(all, daddr)],
  ];
}

/**
 * `ip6 daddr ::1 return`: the kernel has no route_localnet for IPv6, and drops what a container answers to ::1, however
 * it is masqueraded. Refused, whoever asks `localhost` goes on with 127.0.0.1 at once, and does not wait.
 */
function notToLoopback6(): Expression[] {
  return [...addressIs('daddr', LOOPBACK[6]), verdict({ kind: 'return' })];
}

/** `fib daddr type local jump …` */
function toLocalAddress(chain: string): Expression[] {
  return [
    { name: 'fib', of: 'daddr', result: 'type', register: 1 },
    { name: 'cmp', op: 'eq', register: 1, value: hostOrder(RTN_LOCAL) },
    verdict({ kind: 'jump', chain }),
  ];
}

/** `ct status dnat jump …` */
function translated(chain: string): Expression[] {
  return [
    { name: 'ct', key: 'status', register: 1 },
    { name: 'bitwise', source: 1, register: 1, mask: hostOrder(IPS_DST_NAT), xor: hostOrder(0) },
    { name: 'cmp', op: 'neq', register: 1, value: hostOrder(0) },
    verdict({ kind: 'jump', chain }),
  ];
}

/** `iifname != "lo" ip daddr 127.0.0.0/8 drop`: before connections are known, whose answers come back to 127.0.0.1. */
function loopbackOnly(): Expression[] {
  return [
    { name: 'meta', key: 'iifname', register: 1 },
    { name: 'cmp', op: 'neq', register: 1, value: interfaceField('lo') },
    ...addressIs('daddr', LOOPBACK[4]),
    verdict({ kind: 'drop' }),
  ];
}

function hostOrder(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

function sizeOf(family: 4 | 6): 4 | 16 {
  return family === 4 ? 4 : 16;
}

/** 127.0.0.0/8 and ::1 */
const LOOPBACK = {
  4: { ip: Uint8Array.of(127, 0, 0, 0), prefixLength: 8 },
  6: { ip: Uint8Array.of(...new Array<number>(15).fill(0), 1), prefixLength: 128 },
};

/** include/uapi/linux/rtnetlink.h and include/uapi/linux/netfilter/nf_conntrack_common.h */
const RTN_LOCAL = 2;
const IPS_DST_NAT = 1 << 5;
