import { type Json, stringifyJson } from '../cni/json.ts';
import type { Outcome, Request } from '../cni/plugin.ts';
import type { Redactor } from './redaction.ts';
import type { Trace } from './trace.ts';

export type TextLayout = 'debug' | 'upstream';

/** What the text log says of a call. */
export interface TextEntry {
  readonly command: string;
  readonly containerID: string;
  readonly netns: string;
  readonly ifName: string;
  readonly args: string;
  readonly path: string;
  /** As it came: it may be no text. */
  readonly stdinData: Buffer;
  readonly startedAt: Date;
  /** What was done to the call on purpose. */
  readonly fault: string | undefined;
  /** `Result: ...` or `Error: ...` */
  readonly answer: string;
  /** ms; absent where nobody knows. */
  readonly duration: number | undefined;
}

/**
 * One record of the text log. In the layout `debug` a line break in a value becomes a space: one value, one line. The
 * layout `upstream` is that of the debug plugin of the CNI project: the command, six lines, 22 dashes, and line breaks
 * as they are.
 */
export function textRecord(layout: TextLayout, entry: TextEntry): Buffer {
  return layout === 'upstream' ? upstreamRecord(entry) : debugRecord(entry);
}

/** A call that is just over. Redacted values are replaced where they stand; all else is what came, byte for byte. */
export function textEntry(request: Request, trace: Trace, outcome: Outcome, redactor: Redactor): TextEntry {
  const { environment, stdin } = request;
  const value = (name: string) => redactor.text(environment[name] ?? '');
  return {
    command: environment.CNI_COMMAND ?? '',
    containerID: value('CNI_CONTAINERID'),
    netns: value('CNI_NETNS'),
    ifName: value('CNI_IFNAME'),
    args: redactor.cniArgs(environment.CNI_ARGS ?? ''),
    path: value('CNI_PATH'),
    // As Latin-1 each byte is one character and comes back as the same byte, whatever the encoding was.
    stdinData: Buffer.from(redactor.text(stdin.toString('latin1')), 'latin1'),
    startedAt: trace.startedAt,
    fault: trace.fault?.did,
    answer:
      'error' in outcome
        ? errorLine(outcome.error.code, outcome.error.message, outcome.error.details, redactor.text)
        : resultLine(outcome.result, redactor.text),
    duration: trace.elapsed,
  };
}

/** What is said in place of a result. */
export function errorLine(
  code: number,
  message: string,
  details: string,
  redact = (text: string) => text,
): string {
  return `Error: code ${code}: ${redact(details === '' ? message : `${message}; ${details}`)}`;
}

export function resultLine(result: Json | undefined, redact = (text: string) => text): string {
  return `Result: ${result === undefined ? '(none)' : redact(stringifyJson(result))}`;
}

function debugRecord(entry: TextEntry): Buffer {
  const { command, startedAt, answer, duration } = entry;
  const lines = [
    Buffer.from(`CNI Command: ${command}`),
    ...argumentLines(entry),
    ...faultLines(entry),
    Buffer.from(`Time: ${startedAt.toISOString()}`),
    Buffer.from(answer),
    Buffer.from(`Duration: ${duration === undefined ? '(unknown)' : `${duration.toFixed(1)} ms`}`),
    Buffer.from('-----'),
  ];
  const newline = Buffer.from('\n');
  return Buffer.concat([newline, ...lines.flatMap((line) => [oneLine(line), newline])]);
}

function upstreamRecord(entry: TextEntry): Buffer {
  const { command } = entry;
  const title = command.length <= 2 ? command : command.slice(0, 1) + command.slice(1).toLowerCase();
  const newline = Buffer.from('\n');
  const lines = [
    Buffer.from(`Cmd${title}`),
    ...argumentLines(entry),
    ...faultLines(entry),
    Buffer.from('-'.repeat(22)),
  ];
  return Buffer.concat(lines.flatMap((line) => [line, newline]));
}

function argumentLines({ containerID, netns, ifName, args, path, stdinData }: TextEntry): Buffer[] {
  return [
    Buffer.from(`ContainerID: ${containerID}`),
    Buffer.from(`Netns: ${netns}`),
    Buffer.from(`IfName: ${ifName}`),
    Buffer.from(`Args: ${args}`),
    Buffer.from(`Path: ${path}`),
    Buffer.concat([Buffer.from('StdinData: '), stdinData]),
  ];
}

/** In both layouts: nobody may take such a call for one that went wrong by itself. */
function faultLines({ fault }: TextEntry): Buffer[] {
  return fault === undefined ? [] : [Buffer.from(`Fault: ${fault}`)];
}

/** In place. A line break inside a JSON string is always escaped, so only white space is changed. */
function oneLine(line: Buffer): Buffer {
  for (let index = 0; index < line.length; index += 1) {
    if (line[index] === 0x0a || line[index] === 0x0d) line[index] = 0x20;
  }
  return line;
}
