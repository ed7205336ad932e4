import type { AnswerFault, Io } from './plugin.ts';

/** What a call prints that has nothing to say, where something is to be spoiled. */
const nothing = '{}\n';

/**
 * The way out of a call whose answer is spoiled on purpose: the one place that breaks the rule of one JSON value on stdout,
 * and only for a configuration that asks for it. `print` prints the answer, and resolves to the exit status.
 */
export async function spoilAnswer(
  { stdout, exit }: AnswerFault,
  io: Io,
  print: (io: Io) => number,
): Promise<number> {
  let text = '';
  const writeStdout = (part: string) => {
    text += part;
  };
  const status = print({ ...io, writeStdout });
  const spoiled = spoil(text, stdout);
  if (spoiled !== '') io.writeStdout(spoiled);
  if (exit !== undefined && exit > 128) await io.raise(exit - 128);
  return exit ?? status;
}

function spoil(text: string, how: AnswerFault['stdout']): string {
  const whole = text === '' ? nothing : text;
  switch (how) {
    case 'malformed':
      return whole.slice(0, Math.ceil(whole.trimEnd().length / 2));
    case 'twice':
      return whole + whole;
    case 'empty':
      return '';
    case undefined:
      return text;
  }
}
