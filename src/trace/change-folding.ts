import type { Change } from './change.ts';

/** A change, and how many of which kind are said with it. */
export interface Folded {
  readonly change: Change;
  readonly with: ReadonlyMap<string, number>;
}

/**
 * What comes or goes with a table, or with a chain, is said with it, as a number: the rules of a chain, all of a
 * table, and the many chains and sets that one plugin makes in a table of its own. What names its owner, and
 * elements, are said by themselves.
 */
export function foldTables(changes: readonly Change[]): Folded[] {
  const heads = new Map<string, { change: Change; with: Map<string, number> }>();
  for (const change of changes) {
    const key = headKey(change);
    if (key !== undefined && !heads.has(key)) heads.set(key, { change, with: new Map() });
  }
  const folded: Folded[] = [];
  for (const change of changes) {
    const own = headKey(change);
    const above = isFoldable(change)
      ? headsOf(change).find((key) => key !== own && heads.has(key))
      : undefined;
    const head = above === undefined ? undefined : heads.get(above);
    if (head !== undefined && head.change !== change) {
      const word = change.kind.slice('nft '.length);
      head.with.set(word, (head.with.get(word) ?? 0) + 1);
    } else folded.push((own === undefined ? undefined : heads.get(own)) ?? { change, with: new Map() });
  }
  return folded;
}

function isFoldable({ kind, change, whose }: Change): boolean {
  return whose === undefined && change !== 'changed' && kind.startsWith('nft ') && kind !== 'nft element';
}

/** What others may be folded into. */
function headKey({ kind, change, object, of }: Change): string | undefined {
  if (change === 'changed') return undefined;
  if (kind === 'nft table') return `${change} ${object}`;
  return kind === 'nft chain' ? `${change} ${of} ${object}` : undefined;
}

/** The table's first, and then the chain's. */
function headsOf({ kind, change, of = '' }: Change): string[] {
  if (kind !== 'nft rule') return [`${change} ${of}`];
  const [, table = '', chain = ''] = /^chain (\S+ \S+) (.*)$/.exec(of) ?? [];
  return [`${change} ${table}`, `${change} ${table} ${chain}`];
}
