import { isObject, type Json, parseJson, stringifyJson } from '../cni/json.ts';
import { withKey } from '../cni/keys.ts';
import { isRunning } from './living-process.ts';
import { type StoredRecord, storedRecord } from './stored-record.ts';
import { errorLine, resultLine, type TextEntry, textRecord } from './text-layout.ts';
import { visible } from './visible-text.ts';

/** A record in the layout of the text log, and as that has it: numbers keep their digits. */
export function storedText({
  record,
  line,
}: {
  readonly record: StoredRecord;
  readonly line: Buffer;
}): string {
  return textRecord('debug', storedEntry(withDigits(line) ?? record)).toString('utf8');
}

/** Undefined for what our own parser finds too deep. */
function withDigits(line: Buffer): StoredRecord | undefined {
  try {
    return storedRecord(parseJson(line.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Nothing in it controls a terminal. */
function storedEntry(record: StoredRecord): TextEntry {
  const { command, containerID, netns, ifName, startedAt, duration, document } = record;
  const environment = (name: string) => {
    const value = isObject(document.environment) ? document.environment[name] : undefined;
    return typeof value === 'string' ? visible(value) : '';
  };
  return {
    ...{ command: visible(command), containerID: visible(containerID), netns: visible(netns) },
    ...{ ifName: visible(ifName), args: environment('CNI_ARGS'), path: environment('CNI_PATH') },
    stdinData: Buffer.from(visible(stdinOf(record))),
    fault: typeof document.fault === 'string' ? visible(document.fault) : undefined,
    ...{ startedAt, duration, answer: visible(answerOf(record)) },
  };
}

/** prevResult behind the rest: the record does not say where it stood. */
function stdinOf({ document: { configuration, prevResult, stdin } }: StoredRecord): string {
  if (!isObject(configuration)) return text(configuration ?? stdin);
  return stringifyJson(
    prevResult === undefined ? configuration : withKey(configuration, 'prevResult', prevResult),
  );
}

function answerOf(record: StoredRecord): string {
  const { kind, error, document } = record;
  if (kind === 'begin') return `Error: ${isRunning(record) ? 'none yet: it is running' : 'it never ended'}`;
  return error === undefined ? resultLine(document.result) : errorLine(error.code, error.msg, error.details);
}

/** A document that was too long is kept as the beginning of its text. */
function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
