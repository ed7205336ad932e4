import type { Operation } from '../trace/life.ts';
import { endOf, type LifeSpan } from '../trace/life-span.ts';
import { objectsIn } from '../trace/stored-record.ts';

/** A span where it stands in a waterfall. */
export interface Row {
  readonly span: LifeSpan;
  /** A call has 0. */
  readonly depth: number;
  /** Why it failed, unless a row above says so. */
  readonly reason: string | undefined;
  /** What was found to be wrong without being an error. */
  readonly findings: readonly string[];
}

/** More than anybody reads; from here on small steps are put together. */
const mostRows = 100;

/** Of the time of the operation: what is small. */
const small = 0.01;

/** As few are not worth a row that says so. */
const fewest = 3;

/** The spans of an operation in the order in which they are read; `all` puts no small steps together. */
export function rowsOf(operation: Operation, all: boolean): Row[] {
  const rows = under(operation.children, 0, []);
  if (all || rows.length <= mostRows) return rows;
  return under(
    operation.children.map((call) => folded(call, operation.duration * small)),
    0,
    [],
  );
}

function under(spans: readonly LifeSpan[], depth: number, said: readonly string[]): Row[] {
  return spans.flatMap((span) => {
    const text = reasonOf(span);
    const reason = text !== undefined && said.some((above) => above.includes(text)) ? undefined : text;
    const below = under(span.children, depth + 1, reason === undefined ? said : [...said, reason]);
    return [{ span, depth, reason, findings: findingsOf(span) }, ...below];
  });
}

/** What a span failed with, as a person reads it; undefined where that was no fault. */
export function reasonOf({ kind, error, isTolerated, record }: LifeSpan): string | undefined {
  if (error === undefined || isTolerated) return undefined;
  if (kind !== 'call') return error;
  // Whoever reads this has found the record.
  const text = error.replace(/(?:^|; )record [0-9a-f]{16} in [^;]*$/, '');
  return `error ${record?.error?.code ?? '?'}: ${text}`;
}

/** A hook that failed says so itself. */
function findingsOf({ kind, record }: LifeSpan): string[] {
  if (kind !== 'call' || record === undefined) return [];
  return objectsIn(record, 'findings').flatMap(({ rule, message }) =>
    typeof message === 'string' && rule !== 'hook-failed' ? [message] : [],
  );
}

/** Small steps that follow each other are one. */
function folded(span: LifeSpan, least: number): LifeSpan {
  const children: LifeSpan[] = [];
  let run: LifeSpan[] = [];
  const finish = () => {
    children.push(...(run.length < fewest ? run : [together(run)]));
    run = [];
  };
  for (const child of span.children) {
    if (isSmall(child, least)) {
      run.push(child);
    } else {
      finish();
      children.push(folded(child, least));
    }
  }
  finish();
  return { ...span, children };
}

function isSmall({ kind, duration, error, isTolerated, children }: LifeSpan, least: number): boolean {
  if (kind === 'call' || kind === 'gap' || kind === 'plugin' || kind === 'hook') return false;
  return duration < least && (error === undefined || isTolerated) && children.length === 0;
}

function together(steps: readonly LifeSpan[]): LifeSpan {
  const [first, last] = [steps[0], steps.at(-1)] as [LifeSpan, LifeSpan];
  return {
    ...first,
    ...{ kind: 'work', name: `${steps.length} small steps`, error: undefined, isTolerated: false },
    ...{ duration: endOf(last) - first.start, isCritical: false, account: undefined, children: [] },
  };
}
