/**
 * What moves the cursor, changes colours, turns the direction of writing, or cannot be seen: C0 and C1, DEL, line and
 * paragraph separators, marks of direction, spaces without width, the byte order mark.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
const invisible = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A text of a record as a terminal may show it: whatever would control the terminal stands there as an escape. */
export function visible(text: string): string {
  return text.replace(invisible, (character) => named[character] ?? escaped(character));
}

/** The same of each line; the lines stay. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
