import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from '../cni/environment.ts';
import { CniError } from '../cni/error.ts';
import { isObject, type JsonObject } from '../cni/json.ts';
import { lookUp, withKey, withoutKeys } from '../cni/keys.ts';
import { createNamespace } from '../kernel/named-namespace.ts';
import { openNamespace } from '../kernel/netns.ts';
import { execPlugin } from '../runtime/exec-plugin.ts';
import { findPlugin } from '../runtime/find-plugin.ts';
import { recordsFromEnd } from '../trace/journal-reader.ts';
import { defaultJournal } from '../trace/journal-settings.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { withChangedValues, withTexts } from './changed-values.ts';
import { type Comparison, compare } from './comparison.ts';
import { seedLeases } from './lease-seed.ts';
import { movedPaths } from './moved-paths.ts';
import { logsIn } from './named-in-configuration.ts';
import { type CallOutcome, outcomeIn } from './outcome.ts';
import type { Input } from './recorded-input.ts';
import { ReplayRefusal } from './refusal.ts';
import { becomeScratchNode } from './scratch-node.ts';
import { makeStandIns } from './stand-ins.ts';

export interface ReplayOrder {
  readonly record: StoredRecord;
  readonly input: Input;
  /** The ADD of the same attachment, where there is a record of it. */
  readonly added: { readonly record: StoredRecord; readonly input: Input } | undefined;
  /** CNI_PATH in place of the recorded one. */
  readonly cniPath: string | undefined;
  /** For each call, in ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onCall: (command: Command) => void;
}

export interface Replayed extends Comparison {
  readonly recorded: CallOutcome;
  readonly replayed: CallOutcome;
  /** Links that were made in place of those that the node had. */
  readonly standIns: readonly string[];
  /** What the plugin wrote there. */
  readonly stderr: string;
}

/** Where the container is when the record has it at a place that cannot be made again. */
const ownNetns = '/run/netns/cni-debug-replay';

/**
 * Makes a recorded call again, on a scratch node that this process becomes: it cannot go back. CHECK and DEL get the ADD
 * that was before them first. Throws ReplayRefusal where there is nothing to compare, and SystemError.
 */
export async function replay(order: ReplayOrder): Promise<Replayed> {
  const { record, input, added } = order;
  const command = record.command as Command;
  const cniPath = order.cniPath ?? input.environment.CNI_PATH ?? '';
  const documents = [input.document, ...(added ? [added.input.document] : [])];
  becomeScratchNode(documents, cniPath);
  const recordedNetns = input.environment.CNI_NETNS ?? '';
  const netns = containerOf(recordedNetns);
  const paths = movedPaths(documents);
  const moved = new Map(recordedNetns === '' ? paths : [...paths, [recordedNetns, netns]]);
  const place: Place = { ...order, cniPath, plugin: record.plugin, netns, moved };

  const first = command === 'ADD' || !needsAdd(command) ? input : (added?.input ?? addOf(input));
  const container = netns === '' ? undefined : openNamespace(netns);
  const standIns = makeStandIns(placed(first, place).document, container);
  container?.close();
  const knownResult =
    added?.record.document.result ?? lookUp(input.document, 'prevResult') ?? record.document.result;
  const expected = command === 'ADD' ? record.document.result : knownResult;
  seedLeases(placed(first, place).document, isObject(expected) ? expected : undefined);

  let last = input;
  if (needsAdd(command)) {
    const made = await call('ADD', first, place);
    if (made.outcome.error !== undefined)
      throw new ReplayRefusal(
        `the ADD that goes before ${command} fails here: error ${made.outcome.error.code}: ${made.outcome.error.msg}`,
        [
          added
            ? `it is record ${added.record.id}: replay that one`
            : 'there is no record of the ADD to go by',
        ],
      );
    const document = withChangedValues(input.document, knownResult, made.outcome.result) as JsonObject;
    last = { ...input, document };
  }
  const { outcome, stderr } = await call(command, last, place);
  const names = new Map([
    [recordedNetns, '<netns>'],
    [netns, '<netns>'],
    ...[...paths].map(([recordedPath, path]) => [path, recordedPath] as const),
  ]);
  const recorded = outcomeIn(record);
  return { ...compare(recorded, outcome, names), recorded, replayed: outcome, standIns, stderr };
}

interface Place extends Pick<ReplayOrder, 'timeoutMs' | 'signal' | 'onCall'> {
  readonly cniPath: string;
  readonly plugin: string;
  readonly netns: string;
  /** Recorded paths, and those that take their place. */
  readonly moved: ReadonlyMap<string, string>;
}

function needsAdd(command: Command): boolean {
  return command === 'DEL' || command === 'CHECK';
}

/** Without a record of it: what makes an interface had no prevResult, and what only passes on had the same. */
function addOf(input: Input): Input {
  const { document } = input;
  const isFirst = ['delegate', 'ipam', 'subnet'].some((key) => (lookUp(document, key) ?? null) !== null);
  return { ...input, document: isFirst ? withoutKeys(document, 'prevResult') : document };
}

/** The recorded path, if a namespace can be there; empty as it was. */
function containerOf(recorded: string): string {
  if (recorded === '') return '';
  const isMakeable = /^\/(var\/)?run\/[^/]/.test(recorded) && !recorded.includes('/../');
  const netns = isMakeable ? recorded : ownNetns;
  mkdirSync(dirname(netns), { recursive: true, mode: 0o755 });
  createNamespace(netns);
  return netns;
}

function placed({ environment, document }: Input, { cniPath, netns, moved }: Place): Input {
  const { TRACEPARENT: _, TRACESTATE: __, ...others } = environment;
  return {
    environment: {
      ...others,
      CNI_PATH: cniPath,
      ...('CNI_NETNS' in environment ? { CNI_NETNS: netns } : {}),
    },
    document: withTexts(document, moved) as JsonObject,
  };
}

async function call(
  command: Command,
  input: Input,
  place: Place,
): Promise<{ outcome: CallOutcome; stderr: string }> {
  const { environment, document } = placed(input, place);
  const { plugin, cniPath, timeoutMs, signal, onCall } = place;
  onCall(command);
  const path = pathOf(plugin, cniPath);
  const configuration = withKey(document, 'type', plugin);
  const account = await execPlugin({
    ...{ type: plugin, path, command, environment, configuration, timeoutMs, signal },
  });
  if (signal.aborted) throw signal.reason;
  const { outcome: answer, durationMs, stderr } = account;
  const own = ownRecord(document, command);
  const known = own === undefined ? undefined : outcomeIn(own);
  const duration = known?.duration ?? durationMs;
  const steps = known?.steps ?? [];
  if (answer.ok) return { outcome: { result: answer.result, error: undefined, duration, steps }, stderr };
  const { code, message: msg, details } = answer.error;
  return { outcome: { result: undefined, error: { code, msg, details }, duration, steps }, stderr };
}

function pathOf(plugin: string, cniPath: string): string {
  try {
    return findPlugin(plugin, cniPath);
  } catch (error) {
    throw new ReplayRefusal(CniError.from(error).message, ['--plugin-dir says where plugins are'], {
      cause: error,
    });
  }
}

/** What the plugin itself has recorded just now. */
function ownRecord(document: JsonObject, command: Command): StoredRecord | undefined {
  for (const path of [...logsIn(document), defaultJournal.path]) {
    for (const record of recordsFromEnd(path))
      if (record.kind === 'call' && record.command === command) return record;
  }
  return undefined;
}
