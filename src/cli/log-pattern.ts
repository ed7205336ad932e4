import { InvalidArgumentError } from 'commander';

/** A regular expression; whether letters are large or small matters when one of them is large, as in journalctl. */
export function patternArgument(text: string): RegExp {
  try {
    // `\S` is no large letter.
    return new RegExp(text, /\p{Lu}/u.test(text.replace(/\\./g, '')) ? '' : 'i');
  } catch (error) {
    throw new InvalidArgumentError(
      `It is no regular expression: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
