const longestLine = 200;
const firstLines = 3;
const lastLines = 3;
/** Of each end of a text, in characters: all that the lines kept of it can need. */
const longestEnd = 4096;

/** What JSON.stringify leaves as it is and a reader cannot see, or a terminal obeys. */
const invisible = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

/**
 * What a program wrote, quoted and short enough for an error message. Both ends of it are kept: a Go panic says what
 * happened in its first lines, most other programs in their last.
 */
export function excerpt(text: string): string {
  const lines = ends(trim(text)).split(/[\r\n]+/);
  const some =
    lines.length <= firstLines + lastLines
      ? lines
      : [...lines.slice(0, firstLines), '…', ...lines.slice(-lastLines)];
  return JSON.stringify(some.map(shorten).join('\n')).replace(invisible, escaped);
}

/**
 * Without what JSON calls white space at both ends, and no more: a byte order mark stops Go's decoder. No regular
 * expression, whose time would grow with the square of a long gap.
 */
export function trim(text: string): string {
  const isBlank = (index: number) => ' \t\r\n'.includes(text.charAt(index));
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  return text.slice(start, end);
}

function ends(text: string): string {
  return text.length <= 2 * longestEnd ? text : `${text.slice(0, longestEnd)}\n…\n${text.slice(-longestEnd)}`;
}

function shorten(line: string): string {
  return line.length <= longestLine ? line : `${line.slice(0, longestLine - 1)}…`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
