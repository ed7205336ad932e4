import { readFileSync } from 'node:fs';
import { ENOENT } from './errno.ts';
import { openInetSocket } from './inet/inet-socket.ts';
import { getsockopt } from './libc.ts';
import { ipText } from './netlink/ip-address.ts';
import { MalformedMessageError } from './netlink/message.ts';
import { type Namespace, runIn } from './netns.ts';
import { SystemError, withSystemError } from './system-error.ts';

/** A rule of iptables-legacy, or the policy of a chain, and how many packets it has decided about. */
export interface LegacyRule {
  readonly table: string;
  /** `FORWARD`, or the name of a user's own. */
  readonly chain: string;
  /** From 1 on, as `iptables-legacy -L --line-numbers` has it; absent for the policy. */
  readonly number?: number;
  /** `-s 10.1.0.0/24 -i br0 -m comment -j DROP`; matches have their names only. */
  readonly text: string;
  /** `DROP`, `REJECT`, the name of a chain. */
  readonly target: string;
  readonly packets: number;
}

/**
 * All rules of iptables-legacy in a namespace, or in our own; none where it is not used there. A table that is asked for is
 * made, so only those are that the kernel says are there. Throws SystemError and MalformedMessageError.
 */
export function listLegacyRules(family: 4 | 6, namespace?: Namespace): LegacyRule[] {
  const read = (): LegacyRule[] => {
    const tables = tableNames(family);
    if (tables.length === 0) return [];
    const socket = openInetSocket('icmp', family);
    try {
      return tables.flatMap((table) => rulesOf(socket.fd, family, table));
    } finally {
      socket.close();
    }
  };
  return namespace === undefined ? read() : runIn(namespace, read);
}

function tableNames(family: 4 | 6): string[] {
  const path = `/proc/thread-self/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`;
  try {
    const text = withSystemError('open', path, () => readFileSync(path, 'utf8'));
    return text.split('\n').filter((name) => name !== '');
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return [];
    throw error;
  }
}

function rulesOf(fd: number, family: 4 | 6, table: string): LegacyRule[] {
  const level = family === 4 ? IPPROTO_IP : IPPROTO_IPV6;
  const info = named(table, SIZEOF_GETINFO);
  check(getsockopt(fd, level, SO_GET_INFO, info), table);
  const size = info.readUInt32LE(INFO_SIZE);
  const entries = named(table, ENTRIES + size);
  entries.writeUInt32LE(size, 32);
  check(getsockopt(fd, level, SO_GET_ENTRIES, entries), table);
  return decodeLegacyRules(table, family, info, entries.subarray(ENTRIES));
}

/** Decodes struct ipt_getinfo, and the entries of struct ipt_get_entries. Throws MalformedMessageError. */
export function decodeLegacyRules(table: string, family: 4 | 6, info: Buffer, entries: Buffer): LegacyRule[] {
  const layout = LAYOUTS[family];
  const rules: LegacyRule[] = [];
  const policies = offsets(info, UNDERFLOW);
  const begins = offsets(info, HOOK_ENTRY);
  const valid = info.readUInt32LE(VALID_HOOKS);
  const hookAt = (places: readonly number[], at: number): string | undefined =>
    HOOKS.find((_, hook) => ((valid >> hook) & 1) === 1 && places[hook] === at);
  const chainNames = new Map<number, string>();
  let [chain, number] = ['', 0];
  const drafts: { chain: string; number: number; entry: Buffer; isPolicy: boolean }[] = [];
  for (let at = 0; at + layout.elements <= entries.length; ) {
    const next = entries.readUInt16LE(at + layout.nextOffset);
    if (next < layout.elements || at + next > entries.length)
      throw new MalformedMessageError(`rule of ${next} bytes at ${at} of ${entries.length}`);
    const entry = entries.subarray(at, at + next);
    const begun = hookAt(begins, at);
    if (begun !== undefined) [chain, number] = [begun, 0];
    const target = targetOf(entry, layout);
    if (target.name === 'ERROR') {
      [chain, number] = [untilNul(target.data), 0];
      chainNames.set(at + next, chain);
    } else {
      number += 1;
      drafts.push({ chain, number, entry, isPolicy: hookAt(policies, at) !== undefined });
    }
    at += next;
  }
  for (const { chain, number, entry, isPolicy } of drafts) {
    const target = targetText(targetOf(entry, layout), chainNames);
    const packets = Number(entry.readBigUInt64LE(layout.counters));
    const text = isPolicy ? `policy ${target}` : [...matchesOf(entry, layout), `-j ${target}`].join(' ');
    rules.push({ table, chain, ...(isPolicy ? {} : { number }), text, target, packets });
  }
  return rules;
}

interface Layout {
  readonly addressBytes: 4 | 16;
  /** Of the interfaces' names, of their masks, and of the protocol. */
  readonly names: number;
  readonly protocol: number;
  readonly inverted: number;
  readonly targetOffset: number;
  readonly nextOffset: number;
  readonly counters: number;
  readonly elements: number;
}

/** struct ipt_entry and ip6t_entry, include/uapi/linux/netfilter_ipv4/ip_tables.h and netfilter_ipv6/ip6_tables.h */
const LAYOUTS: Readonly<Record<4 | 6, Layout>> = {
  4: {
    addressBytes: 4,
    names: 16,
    protocol: 80,
    inverted: 83,
    targetOffset: 88,
    nextOffset: 90,
    counters: 96,
    elements: 112,
  },
  6: {
    addressBytes: 16,
    names: 64,
    protocol: 128,
    inverted: 132,
    targetOffset: 140,
    nextOffset: 142,
    counters: 152,
    elements: 168,
  },
};

/** struct ipt_getinfo: a name, valid_hooks, hook_entry[5], underflow[5], num_entries, size. */
const SIZEOF_GETINFO = 84;
const VALID_HOOKS = 32;
const HOOK_ENTRY = 36;
const UNDERFLOW = 56;
const INFO_SIZE = 80;
/** struct ipt_get_entries: a name, a size, then entries at a multiple of eight. */
const ENTRIES = 40;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
/** IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES, of both families */
const SO_GET_INFO = 64;
const SO_GET_ENTRIES = 65;
/** enum nf_inet_hooks, by the names of their chains */
const HOOKS = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'] as const;
/** struct xt_entry_target and xt_entry_match: a size of two bytes, a name of 29, a revision. */
const TARGET_DATA = 32;
const NAME_BYTES = 29;
/** -NF_DROP - 1, -NF_ACCEPT - 1, -NF_QUEUE - 1 and XT_RETURN */
const VERDICTS: Readonly<Record<number, string>> = {
  [-1]: 'DROP',
  [-2]: 'ACCEPT',
  [-4]: 'QUEUE',
  [-5]: 'RETURN',
};
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  58: 'icmpv6',
  132: 'sctp',
};
const INVERTED = { '-i': 0x01, '-o': 0x02, '-s': 0x08, '-d': 0x10, '-p': 0x40 };

function named(table: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.write(table, 0, 31);
  return bytes;
}

function check(answer: number, table: string): void {
  if (answer < 0) throw new SystemError('getsockopt', -answer, `table ${table} of iptables-legacy`);
}

function offsets(info: Buffer, at: number): number[] {
  return HOOKS.map((_, hook) => info.readUInt32LE(at + 4 * hook));
}

function targetOf(entry: Buffer, { targetOffset }: Layout): { name: string; data: Buffer } {
  const target = entry.subarray(entry.readUInt16LE(targetOffset));
  if (target.length < TARGET_DATA) throw new MalformedMessageError(`target of ${target.length} bytes`);
  return { name: untilNul(target.subarray(2, 2 + NAME_BYTES)), data: target.subarray(TARGET_DATA) };
}

/** The one without a name is a verdict, or where to go on: an offset of the table. */
function targetText(
  { name, data }: { name: string; data: Buffer },
  chains: ReadonlyMap<number, string>,
): string {
  if (name !== '') return name;
  const verdict = data.readInt32LE(0);
  return VERDICTS[verdict] ?? chains.get(verdict) ?? `${verdict}`;
}

function matchesOf(entry: Buffer, layout: Layout): string[] {
  const { addressBytes, names, protocol, inverted, targetOffset, elements } = layout;
  const flags = entry.readUInt8(inverted);
  const field = (option: keyof typeof INVERTED, value: string | undefined): string[] =>
    value === undefined ? [] : [`${(flags & INVERTED[option]) === 0 ? '' : '! '}${option} ${value}`];
  const address = (index: number): string | undefined => {
    const at = index * addressBytes;
    const mask = entry.subarray(at + 2 * addressBytes, at + 3 * addressBytes);
    const length = mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    return length === 0 ? undefined : `${ipText(entry.subarray(at, at + addressBytes))}/${length}`;
  };
  const name = (at: number): string | undefined => untilNul(entry.subarray(at, at + 16)) || undefined;
  const number = entry.readUInt16LE(protocol);
  const modules: string[] = [];
  for (let at = elements; at + TARGET_DATA <= entry.readUInt16LE(targetOffset); ) {
    modules.push(`-m ${untilNul(entry.subarray(at + 2, at + 2 + NAME_BYTES))}`);
    at += Math.max(TARGET_DATA, entry.readUInt16LE(at));
  }
  return [
    ...field('-s', address(0)),
    ...field('-d', address(1)),
    ...field('-i', name(names)),
    ...field('-o', name(names + 16)),
    ...field('-p', number === 0 ? undefined : (PROTOCOLS[number] ?? `${number}`)),
    ...modules,
  ];
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
