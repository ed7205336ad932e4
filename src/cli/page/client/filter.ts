import type { PageOperation, PageSpan } from '../page-data.ts';
import { type Place, spansOf } from './page-index.ts';

/** What the reader wants to see only. */
export interface Filter {
  /** In small letters; words that must all be there. */
  readonly words: readonly string[];
  readonly plugin: string;
  readonly onlyFailed: boolean;
}

export const noFilter: Filter = { words: [], plugin: '', onlyFailed: false };

export function isFiltering({ words, plugin, onlyFailed }: Filter): boolean {
  return words.length > 0 || plugin !== '' || onlyFailed;
}

/** The spans of an operation that fit, and those that they are parts of. */
export function shownSpans(operation: PageOperation, filter: Filter): ReadonlySet<PageSpan> {
  const shown = new Set<PageSpan>();
  const visit = (span: PageSpan, isInPlugin: boolean): boolean => {
    const isIts = isInPlugin || filter.plugin === '' || pluginOf(span) === filter.plugin;
    const isBelow = (span.children ?? []).map((child) => visit(child, isIts)).includes(true);
    const fits = isBelow || (isIts && fitsItself(span, filter));
    if (fits) shown.add(span);
    return fits;
  };
  for (const child of operation.children ?? []) visit(child, false);
  return shown;
}

/** Whether an operation has anything that fits: its own name, attachment and outcome count, too. */
export function fitsOperation({ operation, life }: Place, filter: Filter): boolean {
  if (!isFiltering(filter)) return true;
  const rest = {
    ...filter,
    words: filter.words.filter((word) => !headOf(operation, life.title).includes(word)),
  };
  return shownSpans(operation, rest).size > 0;
}

/** The plugin types that there are to choose from. */
export function pluginsOf(operations: readonly Place[]): string[] {
  const names = new Set<string>();
  for (const { operation } of operations)
    for (const span of spansOf(operation)) {
      const name = pluginOf(span);
      if (name !== undefined) names.add(name);
    }
  return [...names].sort();
}

function pluginOf({ kind, name }: PageSpan): string | undefined {
  if (kind === 'call') return name;
  // `bridge DEL` is the same plugin.
  return kind === 'plugin' ? name.replace(/ [A-Z]+$/, '') : undefined;
}

function fitsItself({ id, kind, name, error, isFault, findings = [] }: PageSpan, filter: Filter): boolean {
  if (filter.onlyFailed && !isFault && findings.length === 0) return false;
  const text = [id, kind, name, error ?? '', ...findings].join(' ').toLowerCase();
  return filter.words.every((word) => text.includes(word));
}

function headOf({ name, ending, startText }: PageOperation, title: string): string {
  return `${title} ${name} ${ending} ${startText}`.toLowerCase();
}
