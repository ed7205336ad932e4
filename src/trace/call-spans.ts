import { type Json, JsonNumber, type JsonObject } from '../cni/json.ts';
import { derivedID, endOf, type LifeSpan, type SpanKind, type StepKind } from './life-span.ts';
import { objectsIn, type StoredRecord } from './stored-record.ts';

/** A step as the record has it. */
interface RecordedStep {
  readonly name: string;
  readonly at: number;
  readonly duration: number;
  readonly error: string | undefined;
}

/** A span that still gets its parts. */
interface Growing extends LifeSpan {
  readonly children: Growing[];
  /** Of a plugin inside of the call: the names of its steps begin with it. */
  readonly type?: string;
}

/** Times are kept to the microsecond: a part may end that much later than the whole. */
const rounding = 0.0015;

/**
 * One call as its record tells it, down to the steps. `start` in ms since 1970 is when it began, if not when its record
 * says. What is damaged in a record is left out.
 */
export function callSpan(
  record: StoredRecord,
  parentID: string,
  start = record.startedAt.getTime(),
): LifeSpan {
  const { error, kind, plugin, duration = 0 } = record;
  const call: Growing = {
    ...{ id: record.id || derivedID(record.startedAt.getTime(), record.msg), parentID, kind: 'call' },
    ...{ name: plugin || '(no type)', start, duration: lengthOf(duration) ?? 0, record },
    error: error && [error.msg, error.details].filter(Boolean).join('; '),
    ...{ isTolerated: false, isOpen: kind === 'begin', isCritical: false, account: undefined, children: [] },
  };
  const accounts = new Accounts(record);
  const open: Growing[] = [call];
  for (const [index, step] of stepsOf(record).entries()) {
    while (open.length > 1 && !isWithin(step, open.at(-1), start)) open.pop();
    const parent = open.at(-1) ?? call;
    const span = stepSpan(step, parent, derivedID(call.id, index), { record, start, accounts });
    parent.children.push(span);
    open.push(span);
  }
  return call;
}

function isWithin({ at, duration }: RecordedStep, span: Growing | undefined, start: number): boolean {
  if (span === undefined) return false;
  // Epoch milliseconds have no room for more digits than that.
  const [from, to] = [span.start - start, endOf(span) - start];
  const isInside = at >= from - rounding && at + duration <= to + rounding;
  return isInside && (at < to || duration === 0);
}

function stepSpan(
  step: RecordedStep,
  parent: Growing,
  derived: string,
  { record, start, accounts }: { record: StoredRecord; start: number; accounts: Accounts },
): Growing {
  const isFirst = parent.kind === 'call';
  const prefix = `${parent.type ?? ''}: `;
  const ownName = step.name.startsWith(prefix) ? step.name.slice(prefix.length) : step.name;
  const plugin = isFirst ? pluginIn(step.name) : undefined;
  const isHook = isFirst && step.name.startsWith('hook ');
  const account = plugin ? accounts.ofPlugin(plugin) : isHook ? accounts.ofHook() : undefined;
  const { failure, at, duration, spanID } = account ?? ({} as JsonObject);
  // Of what was executed, the process itself: the step has also the search for it.
  const began = lengthOf(at);
  const isOwnTime = began !== undefined && lengthOf(duration) !== undefined;
  const kind: SpanKind = plugin ? 'plugin' : isHook ? 'hook' : kindOf(ownName);
  const error = typeof failure === 'string' ? failure : step.error;
  return {
    ...{ id: isSpanID(spanID) ? spanID : derived, parentID: parent.id, kind },
    name: plugin ? nameOf(plugin, record) : isHook ? hookName(account, ownName) : ownName,
    start: start + (isOwnTime ? began : step.at),
    duration: isOwnTime ? (lengthOf(duration) ?? 0) : step.duration,
    error,
    isTolerated: error !== undefined && !plugin && !isHook && !isWhy(error, parent),
    ...{ isOpen: false, isCritical: false, record, account, children: [] },
    ...typeIn(plugin, parent),
  };
}

/** The steps of a plugin are named after it, also those of its steps. */
function typeIn(plugin: Plugin | undefined, parent: Growing): { type?: string } {
  const type = plugin?.type ?? parent.type;
  return type === undefined ? {} : { type };
}

/** Whether what a step belongs to failed because of it. */
function isWhy(error: string, parent: Growing): boolean {
  return !parent.isTolerated && parent.error?.includes(error) === true;
}

interface Plugin {
  readonly type: string;
  readonly command: string;
}

/** A plugin that ran inside of the call: a delegate, or the bridge that `debug` itself is. */
function pluginIn(name: string): Plugin | undefined {
  const delegate = /^delegate ([A-Z]+) (.+)$/.exec(name);
  if (delegate) return { command: delegate[1] ?? '', type: delegate[2] ?? '' };
  const itself = /^([^ :]+) (ADD|DEL|CHECK|GC|STATUS)$/.exec(name);
  return itself ? { type: itself[1] ?? '', command: itself[2] ?? '' } : undefined;
}

function nameOf({ type, command }: Plugin, record: StoredRecord): string {
  return command === record.command ? type : `${type} ${command}`;
}

function hookName(account: JsonObject | undefined, name: string): string {
  const argv = account?.argv;
  return Array.isArray(argv) ? `hook ${argv.map(String).join(' ')}` : name;
}

function kindOf(ownName: string): StepKind {
  const name = ownName.replace(/^([\w.-]+: )+/, '');
  if (name.startsWith('wait for ')) return 'wait';
  if (/^(delegate|ipam) [A-Z]+ /.test(name)) return 'exec';
  return /^(check|compare|take|release|read|write|link the) /.test(name) ? 'work' : 'kernel';
}

/** The entries of `delegates` and `hooks` that belong to the steps, in order. */
class Accounts {
  private readonly plugins: JsonObject[];
  private readonly hooks: JsonObject[];

  constructor(record: StoredRecord) {
    this.plugins = objectsIn(record, 'delegates');
    this.hooks = objectsIn(record, 'hooks');
  }

  /** One that was not found has none. */
  ofPlugin({ type, command }: Plugin): JsonObject | undefined {
    const index = this.plugins.findIndex((one) => one.type === type && one.command === command);
    return index < 0 ? undefined : this.plugins.splice(index, 1)[0];
  }

  ofHook(): JsonObject | undefined {
    return this.hooks.shift();
  }
}

function stepsOf(record: StoredRecord): RecordedStep[] {
  const steps = objectsIn(record, 'steps').flatMap(({ name, at, duration, error }) => {
    const [from, length] = [lengthOf(at), lengthOf(duration)];
    if (typeof name !== 'string' || from === undefined || length === undefined) return [];
    return [{ name, at: from, duration: length, error: typeof error === 'string' ? error : undefined }];
  });
  return steps.sort((one, other) => one.at - other.at || other.duration - one.duration);
}

/** Three years: no call takes longer. */
const longestMs = 1e11;

/** A number of milliseconds that makes sense. */
function lengthOf(value: Json | undefined): number | undefined {
  const number = value instanceof JsonNumber ? Number(value.text) : value;
  return typeof number === 'number' && number >= 0 && number <= longestMs ? number : undefined;
}

function isSpanID(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
}
