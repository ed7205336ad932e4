import { constants } from 'node:os';
import { styleText } from 'node:util';
import { processIo, writeAll } from '../process-io.ts';
import { visibleLines } from '../trace/visible-text.ts';

/** What a person reads on, or a program. */
export interface Output {
  readonly isTTY?: boolean;
}

/** Not when a program reads, nor when the user does not want them (no-color.org). */
export function wantsColors(output: Output = process.stdout): boolean {
  return output.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Gives a text a style, where colours are wanted. */
export type Paint = (style: Style, text: string) => string;

export function paintFor(output: Output = process.stdout): Paint {
  const colors = wantsColors(output);
  return (style, text) => (colors ? styleText(style, text, { validateStream: false }) : text);
}

/** Whole, also into a pipe that is slow to take it: the process ends right after. Bytes go out as they are. */
export function say(text: string | Uint8Array): void {
  try {
    writeAll(1, text);
  } catch (error) {
    // Whoever read has seen enough, as `head`.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
    throw error;
  }
}

/** Something that is worth knowing and no error, on a line of its own of stderr. */
export function note(verb: string, message: string): void {
  processIo.writeStderr(
    `${paintFor(process.stderr)('yellow', `cni-debug ${verb}:`)} ${visibleLines(message)}\n`,
  );
}

/** The one form of machine-readable output: indented as cnitool and the plugins print it. */
export function sayJson(value: unknown): void {
  say(`${JSON.stringify(value, null, 4)}\n`);
}
