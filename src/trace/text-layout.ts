import { stringifyJson } from '../cni/json.ts';
import type { Outcome, Request } from '../cni/plugin.ts';
import type { Redactor } from './redaction.ts';
import type { Trace } from './trace.ts';

export type TextLayout = 'debug' | 'upstream';

/**
 * One record of the text log. Redacted values are replaced where they stand; all else is what came, byte for byte,
 * except that in the layout `debug` a line break in a value becomes a space: one value, one line.
 */
export function textRecord(
  layout: TextLayout,
  request: Request,
  trace: Trace,
  outcome: Outcome,
  redactor: Redactor,
): Buffer {
  return layout === 'upstream'
    ? upstreamRecord(request, redactor)
    : debugRecord(request, trace, outcome, redactor);
}

function debugRecord(request: Request, trace: Trace, outcome: Outcome, redactor: Redactor): Buffer {
  const answer =
    'error' in outcome
      ? `Error: code ${outcome.error.code}: ${redactor.text(join(outcome.error.message, outcome.error.details))}`
      : `Result: ${outcome.result === undefined ? '(none)' : redactor.text(stringifyJson(outcome.result))}`;
  const lines = [
    Buffer.from(`CNI Command: ${request.environment.CNI_COMMAND ?? ''}`),
    ...argumentLines(request, redactor),
    Buffer.from(`Time: ${trace.startedAt.toISOString()}`),
    Buffer.from(answer),
    Buffer.from(`Duration: ${trace.elapsed.toFixed(1)} ms`),
    Buffer.from('-----'),
  ];
  const newline = Buffer.from('\n');
  return Buffer.concat([newline, ...lines.flatMap((line) => [oneLine(line), newline])]);
}

/** As the debug plugin of the CNI project prints it: the command, six lines, 22 dashes, and line breaks as they are. */
function upstreamRecord(request: Request, redactor: Redactor): Buffer {
  const command = request.environment.CNI_COMMAND ?? '';
  const title = command.length <= 2 ? command : command.slice(0, 1) + command.slice(1).toLowerCase();
  const newline = Buffer.from('\n');
  const lines = [
    Buffer.from(`Cmd${title}`),
    ...argumentLines(request, redactor),
    Buffer.from('-'.repeat(22)),
  ];
  return Buffer.concat(lines.flatMap((line) => [line, newline]));
}

function argumentLines({ environment, stdin }: Request, redactor: Redactor): Buffer[] {
  // As Latin-1 each byte is one character and comes back as the same byte, whatever the encoding was.
  const stdinText = redactor.text(stdin.toString('latin1'));
  const value = (name: string) => redactor.text(environment[name] ?? '');
  return [
    Buffer.from(`ContainerID: ${value('CNI_CONTAINERID')}`),
    Buffer.from(`Netns: ${value('CNI_NETNS')}`),
    Buffer.from(`IfName: ${value('CNI_IFNAME')}`),
    Buffer.from(`Args: ${redactor.cniArgs(environment.CNI_ARGS ?? '')}`),
    Buffer.from(`Path: ${value('CNI_PATH')}`),
    Buffer.from(`StdinData: ${stdinText}`, 'latin1'),
  ];
}

/** In place. A line break inside a JSON string is always escaped, so only white space is changed. */
function oneLine(line: Buffer): Buffer {
  for (let index = 0; index < line.length; index += 1) {
    if (line[index] === 0x0a || line[index] === 0x0d) line[index] = 0x20;
  }
  return line;
}

function join(message: string, details: string): string {
  return details === '' ? message : `${message}; ${details}`;
}
