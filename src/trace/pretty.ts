import { prettyFactory } from 'pino-pretty';

/** What is shown below the headline of a record; everything else is in the journal. */
interface Shown {
  readonly plugin?: string;
  readonly duration?: number;
  readonly steps?: { readonly name: string; readonly duration: number; readonly error?: string }[];
  readonly findings?: { readonly message: string }[];
}

/** A journal line as a person reads it: one line a call, its steps and findings indented below. */
export function prettyRecord(line: string, { colors }: { colors: boolean }): string {
  const { plugin = '', duration, steps = [], findings = [] } = JSON.parse(line) as Shown;
  const format = prettyFactory({
    colorize: colors,
    translateTime: 'SYS:HH:MM:ss.l',
    hideObject: true,
    messageFormat: `{msg}${duration === undefined ? '' : ` (${plugin}, ${duration.toFixed(1)} ms)`}`,
  });
  const below = [
    ...steps.map(
      ({ name, duration, error = '' }) =>
        `${duration.toFixed(1).padStart(8)} ms  ${name}${error === '' ? '' : `: ${reason(name, error)}`}`,
    ),
    ...findings.map(({ message }) => `  finding: ${message}`),
  ];
  return [format(line).trimEnd(), ...below.map((text) => `    ${text}`), ''].join('\n');
}

/** An error of the kernel begins with the operation, which is what the step of a built-in plugin is called. */
function reason(name: string, error: string): string {
  const operation = `${name.replace(/^[^ ]+: /, '')}: `;
  return error.startsWith(operation) ? error.slice(operation.length) : error;
}
