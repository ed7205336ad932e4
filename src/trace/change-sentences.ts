import type { Change } from './change.ts';
import { type Folded, foldTables } from './change-folding.ts';
import { itemText, plural, setName, shownValue } from './change-item.ts';

/** What is read of a record: all of it may be missing, or be something else in a damaged one. */
export interface RecordWithChanges {
  readonly changes?: unknown;
  readonly changesLeftOut?: unknown;
}

/** Items of one sentence: who wants all of them reads the record. */
const longestSentence = 24;

/**
 * What a call changed, a sentence for each plugin and namespace: `portmap: map hostport_any4: + tcp 8080 ->
 * 10.22.0.5:80; sysctl net.ipv4.conf.cni0.route_localnet 0 -> 1`. What others did at the same time comes last, and
 * says so. The text is as the record has it: control characters are for whoever shows it to take out.
 */
export function changeSentences({ changes, changesLeftOut }: RecordWithChanges): string[] {
  const all = Array.isArray(changes) ? changes.filter(isChange) : [];
  const own = all.filter(({ whose }) => whose !== 'other');
  const others = all.filter(({ whose }) => whose === 'other');
  const sentences = [
    ...grouped(own, ({ plugin = '?' }) => plugin),
    ...grouped(others, (one) => `meanwhile, ${ownerText(one)}`),
  ];
  if (typeof changesLeftOut === 'number' && changesLeftOut > 0)
    sentences.push(`${plural(changesLeftOut, 'more change')}, for which there was no room in the record`);
  return sentences;
}

function isChange(value: unknown): value is Change {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, change, object } = value as Change;
  return [kind, change, object].every((text) => typeof text === 'string');
}

function grouped(changes: readonly Change[], title: (change: Change) => string): string[] {
  const groups = new Map<string, Change[]>();
  for (const one of changes) {
    const key = `${title(one)}${one.namespace === 'container' ? ' in the container' : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups].flatMap(([key, group]) => {
    const items = itemsOf(group);
    if (items.length === 0) return [];
    const rest = items.length - longestSentence;
    const shown = rest > 0 ? [...items.slice(0, longestSentence), `and ${rest} more`] : items;
    return `${key}: ${shown.join('; ')}`;
  });
}

/** Whose, in as many words as are known. */
function ownerText({ owner = {} }: Change): string {
  const { network, containerID, ifName, process, mark } = owner;
  if (process !== undefined) return `"${process}"`;
  const words = [containerID && `container ${containerID}`, ifName, network && `of network ${network}`];
  const names = words.filter(Boolean).join(' ');
  return names !== '' ? names : `another (${mark ?? 'unknown'})`;
}

/** The order is that of the record, but for elements and rules, which come together with their set or chain. */
function itemsOf(changes: readonly Change[]): string[] {
  const folded = gathered(foldTables(changes.filter(({ follows }) => follows !== true)));
  const places = new Map<string, string[]>();
  const items: (string | string[])[] = [];
  for (const { change: one, with: counts, several } of folded) {
    if (several !== undefined) {
      items.push(several);
      continue;
    }
    if (one.kind !== 'nft element' && one.kind !== 'nft rule') {
      items.push(`${itemText(one)}${countsText(counts)}${company(one, changes)}`);
      continue;
    }
    const place = setName(one.of ?? '?');
    const known = places.get(place);
    if (known !== undefined) known.push(itemText(one));
    else {
      const list = [`${place}: ${itemText(one)}`];
      places.set(place, list);
      items.push(list);
    }
  }
  return items.map((item) => (typeof item === 'string' ? item : item.join(', ')));
}

/** The chains and sets that a plugin makes in a table that is there already: from three on, how many they are. */
function gathered(all: readonly Folded[]): (Folded & { several?: string })[] {
  const isPart = ({ change: { kind, whose } }: Folded): boolean =>
    whose === undefined && (kind === 'nft chain' || kind === 'nft set' || kind === 'nft map');
  const keyOf = ({ change: { change, of } }: Folded): string => `${change} ${of}`;
  const groups = new Map<string, Folded[]>();
  for (const one of all) if (isPart(one)) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return all.flatMap((one) => {
    const group = isPart(one) ? (groups.get(keyOf(one)) ?? []) : [];
    if (group.length < 3 || one.change.change === 'changed') return [one];
    if (group[0] !== one) return [];
    const counts = new Map<string, number>();
    const count = (word: string, number: number) => counts.set(word, (counts.get(word) ?? 0) + number);
    for (const { change, with: rules } of group) {
      count(change.kind.slice('nft '.length), 1);
      for (const [word, number] of rules) count(word, number);
    }
    const sign = one.change.change === 'added' ? '+' : '-';
    const words = [...counts].map(([word, number]) => plural(number, word));
    return [{ ...one, several: `${sign} ${words.join(', ')} in table ${one.change.of}` }];
  });
}

function countsText(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? '' : ` (${[...counts].map(([word, count]) => plural(count, word)).join(', ')})`;
}

/** What a link that is gone took along. */
function company({ kind, change, object, old }: Change, changes: readonly Change[]): string {
  if (kind !== 'link' || change !== 'removed') return '';
  const addresses = changes.filter(
    (one) => one.kind === 'address' && one.follows === true && one.of === object,
  );
  const routes = changes.filter(
    (one) => one.kind === 'route' && one.follows === true && one.old?.dev === object,
  );
  const words = [
    old?.kind === undefined ? '' : shownValue(old.kind),
    addresses.map((one) => one.object).join(', '),
    routes.length === 0 ? '' : plural(routes.length, 'route'),
  ].filter((word) => word !== '');
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}
