/** What a plugin did that no plugin may: its own errors are none of that. */
export interface Trouble {
  /** `crash`: it was killed, could not be started, or never answered. `output`: it printed no answer, or not only that. */
  readonly kind: 'crash' | 'output';
  /** As `judge` has said it, without whose it is: `was killed by SIGKILL during ADD`. */
  readonly text: string;
}

/** In the words of `src/runtime/plugin-outcome.ts`; the type of the plugin and its executable stand before. */
const SAID = /^plugin "(?:[^"\\]|\\.)*" \(.*?\) (.*)$/s;

const CRASH =
  /^(?:was killed by |could not be started |did not answer |exited with status \d+ on \w+ and printed no error\b)/;

const OUTPUT = /^exited with status \d+ on \w+ (?:and printed |but printed |with an error without )/;

/** Undefined for an error that the plugin has reported as it should. */
export function troubleIn(failure: string): Trouble | undefined {
  const [, text] = SAID.exec(failure) ?? [];
  if (text === undefined) return undefined;
  if (CRASH.test(text)) return { kind: 'crash', text };
  return OUTPUT.test(text) ? { kind: 'output', text } : undefined;
}
