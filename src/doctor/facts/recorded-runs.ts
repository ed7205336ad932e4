import type { JsonObject } from '../../cni/json.ts';
import { objectsIn, type StoredRecord } from '../../trace/stored-record.ts';
import type { Survey } from '../survey.ts';
import { type Trouble, troubleIn } from './plugin-trouble.ts';

/** One call of one plugin, as a record of `debug` tells of it. */
export interface RecordedRun {
  readonly type: string;
  readonly command: string;
  readonly record: StoredRecord;
  /** ms that it took itself, without those it had its work done by; undefined where nobody has measured it. */
  readonly ownMs: number | undefined;
  readonly trouble: Trouble | undefined;
}

/** So old records say how things were, and not how they are. */
const longestAgoMs = 24 * 3600_000;

/** Of the last day, the newest first: delegates, what they hand their work to in turn, and `debug` itself. */
export function recordedRuns(survey: Survey): readonly RecordedRun[] {
  return survey.once('recorded runs', 'journals', () =>
    survey
      .records()
      .filter(({ kind, startedAt }) => kind === 'call' && survey.now - startedAt.getTime() <= longestAgoMs)
      .flatMap(runsIn),
  );
}

interface Span {
  readonly type: string;
  readonly command: string;
  readonly at: number;
  readonly duration: number | undefined;
  readonly failure: string | undefined;
}

function runsIn(record: StoredRecord): RecordedRun[] {
  const own: Span = {
    ...{ type: record.plugin, command: record.command, at: 0, duration: record.duration },
    failure: undefined,
  };
  const spans = [own, ...objectsIn(record, 'delegates').map(delegateSpan), ...handedOn(record)];
  const runs = spans.map((span) => ({
    ...{ type: span.type, command: span.command, record },
    ownMs: ownTime(span, spans),
    trouble: span.failure === undefined ? undefined : troubleIn(span.failure),
  }));
  return runs.filter(({ type }) => type !== '');
}

function delegateSpan(delegate: JsonObject): Span {
  const { type, command, at, duration, failure } = delegate;
  return {
    type: typeof type === 'string' ? type : '',
    command: typeof command === 'string' ? command : '',
    at: typeof at === 'number' ? at : 0,
    duration: typeof duration === 'number' ? duration : undefined,
    failure: typeof failure === 'string' ? failure : undefined,
  };
}

/** `bridge: ipam ADD dhcp`; a step of `debug` itself that is called so has its account among the delegates. */
const HANDED_ON = /^(?:.*: |(?=ipam ))(?:ipam|delegate) (ADD|DEL|CHECK|GC|STATUS) (\S+)$/;

function handedOn(record: StoredRecord): Span[] {
  return objectsIn(record, 'steps').flatMap(({ name, at, duration, error }) => {
    const [, command, type] = HANDED_ON.exec(typeof name === 'string' ? name : '') ?? [];
    if (command === undefined || type === undefined) return [];
    return [delegateSpan({ type, command, at: at ?? 0, duration: duration ?? null, failure: error ?? null })];
  });
}

function ownTime(span: Span, spans: readonly Span[]): number | undefined {
  if (span.duration === undefined) return undefined;
  const inner = spans.filter((one) => outerOf(one, spans) === span);
  return Math.max(0, span.duration - inner.reduce((sum, { duration = 0 }) => sum + duration, 0));
}

/** The shortest one that it lies in. */
function outerOf(span: Span, spans: readonly Span[]): Span | undefined {
  let outer: Span | undefined;
  for (const one of spans) {
    if (one === span || !contains(one, span)) continue;
    if (outer === undefined || (one.duration ?? 0) < (outer.duration ?? 0)) outer = one;
  }
  return outer;
}

function contains(outer: Span, inner: Span): boolean {
  const [long, short] = [outer.duration ?? 0, inner.duration ?? 0];
  return long > short && outer.at <= inner.at && inner.at + short <= outer.at + long + slopMs;
}

/** Two clocks are read one after the other. */
const slopMs = 1;
