import type { PageOperation, PageSpan } from '../page-data.ts';
import { type Filter, isFiltering, shownSpans } from './filter.ts';

/** A line of the waterfall: a span, or a run of small steps that are put together. */
export interface Row {
  /** The first of them, where they are several. */
  readonly span: PageSpan;
  readonly depth: number;
  readonly steps?: readonly PageSpan[];
}

export interface Shown {
  readonly filter: Filter;
  readonly collapsed: ReadonlySet<PageSpan>;
  /** Spans whose small steps each have a row. */
  readonly unfolded: ReadonlySet<PageSpan>;
}

/** Of the time of the operation: what is small. */
const small = 0.01;

/** As few are not worth a row that says so. */
const fewest = 3;

export function rowsOf(operation: PageOperation, shown: Shown): Row[] {
  const fitting = isFiltering(shown.filter) ? shownSpans(operation, shown.filter) : undefined;
  const least = (operation.duration ?? 0) * small;
  const under = (parent: PageSpan, depth: number): Row[] => {
    const children = (parent.children ?? []).filter((child) => fitting === undefined || fitting.has(child));
    const folds = fitting === undefined && !shown.unfolded.has(parent);
    return runs(children, (span) => folds && isSmall(span, least)).flatMap((run) => {
      const [span] = run as [PageSpan];
      if (run.length >= fewest) return [{ span, depth, steps: run }];
      return run.flatMap((one) => [
        { span: one, depth },
        ...(fitting === undefined && shown.collapsed.has(one) ? [] : under(one, depth + 1)),
      ]);
    });
  };
  return under(operation, 0);
}

/** Where something failed, the calls that did not are in the way of it. */
export function collapsedAtFirst(operation: PageOperation): PageSpan[] {
  const calls = (operation.children ?? []).filter(({ kind }) => kind === 'call');
  return calls.some(({ isFault }) => isFault) ? calls.filter(({ isFault }) => !isFault) : [];
}

/** What is small and stands side by side is one run; everything else is alone. */
function runs(spans: readonly PageSpan[], isSmall: (span: PageSpan) => boolean): PageSpan[][] {
  const all: PageSpan[][] = [];
  let run: PageSpan[] | undefined;
  for (const span of spans) {
    if (!isSmall(span)) {
      run = undefined;
      all.push([span]);
    } else if (run === undefined) {
      run = [span];
      all.push(run);
    } else run.push(span);
  }
  return all;
}

function isSmall({ kind, duration = 0, isFault, children = [] }: PageSpan, least: number): boolean {
  if (kind === 'call' || kind === 'gap' || kind === 'plugin' || kind === 'hook') return false;
  return duration < least && !isFault && children.length === 0;
}
