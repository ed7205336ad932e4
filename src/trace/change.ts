/** What a value of an object is, before or after. */
export type Value = string | number | boolean;

export type Values = Readonly<Record<string, Value>>;

export type ChangeKind =
  | 'link'
  | 'address'
  | 'route'
  | 'rule'
  | 'neighbour'
  | 'sysctl'
  | 'nft table'
  | 'nft chain'
  | 'nft set'
  | 'nft map'
  | 'nft element'
  | 'nft rule';

/** Whose an object is that is not this attachment's; as much of it as the object says. */
export interface OtherOwner {
  readonly network?: string;
  readonly containerID?: string;
  readonly ifName?: string;
  /** Of a change of nftables: a program that is none of ours. */
  readonly process?: string;
  /** What tells them apart where no name is kept: a hash, a link whose other end is elsewhere. */
  readonly mark?: string;
}

/** One difference between two moments, as the record keeps it: plain data. */
export interface Change {
  /** Whose doing it was; absent for what others did meanwhile. */
  readonly plugin?: string;
  readonly namespace: 'host' | 'container';
  readonly kind: ChangeKind;
  readonly change: 'added' | 'removed' | 'changed';
  /** `eth0`, `10.22.0.5/16`, `net.ipv4.ip_forward`, `tcp . 8080` */
  readonly object: string;
  /** Where it is: the link of an address, the table of a chain, the chain of a rule, the set of an element. */
  readonly of?: string;
  /** Of what was removed all values, of what was changed those that are others now. */
  readonly old?: Values;
  /** Of what was added all values, of what was changed those that were others before. */
  readonly new?: Values;
  /** The kernel did it because of another change: a route that an address brings, what a link takes along. */
  readonly follows?: true;
  /** Absent where the object does not say, and of what GC removes. */
  readonly whose?: 'this' | 'other';
  readonly owner?: OtherOwner;
}

/** What is there at one moment, as it is compared. */
export interface Found {
  readonly kind: ChangeKind;
  readonly object: string;
  readonly of?: string;
  readonly values: Values;
  /** What makes it the same thing with other values; by default its kind, object and place. */
  readonly key?: string;
  /** The link that it is on, of those of its namespace. */
  readonly link?: number;
  /** The kernel makes and removes it by itself, with something else. */
  readonly isAutomatic?: boolean;
  /** Whose transaction it was, of nftables. */
  readonly process?: { readonly pid: number; readonly name: string };
}

/** A difference, and the object of which it is. */
export interface Difference {
  readonly old?: Found;
  readonly now?: Found;
}

/**
 * What is in one of the two lists only; each of them may have the same thing several times. What has the same key in
 * both, once, and other values, is one difference.
 */
export function differencesOf(before: readonly Found[], after: readonly Found[]): Difference[] {
  const [gone, come] = [grouped(before), grouped(after)];
  for (const [key, olds] of gone) {
    const news = come.get(key) ?? [];
    for (const old of [...olds]) {
      const same = news.findIndex((now) => sameValues(old.values, now.values));
      if (same < 0) continue;
      news.splice(same, 1);
      olds.splice(olds.indexOf(old), 1);
    }
  }
  const differences: Difference[] = [];
  for (const [key, olds] of gone) {
    const news = come.get(key) ?? [];
    const [old, now] = [olds[0], news[0]];
    if (olds.length === 1 && news.length === 1 && old !== undefined && now !== undefined) {
      differences.push({ old, now });
      come.delete(key);
    } else differences.push(...olds.map((one) => ({ old: one })));
  }
  for (const news of come.values()) differences.push(...news.map((now) => ({ now })));
  return differences;
}

function grouped(all: readonly Found[]): Map<string, Found[]> {
  const groups = new Map<string, Found[]>();
  for (const one of all) {
    const key = one.key ?? `${one.kind}\0${one.object}\0${one.of ?? ''}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

function sameValues(one: Values, other: Values): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name] === other[name])
  );
}

/** Without those that are not there. */
export function knownValues(values: Readonly<Record<string, Value | undefined>>): Values {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );
}

/** The values of the first that are missing in the other, or others there. */
export function otherValues(one: Values, than: Values): Values {
  return Object.fromEntries(Object.entries(one).filter(([name, value]) => than[name] !== value));
}
