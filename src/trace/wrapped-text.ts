import { stripVTControlCharacters } from 'node:util';

/**
 * A line in as many lines as it needs, none longer than `width` unless a word is; those behind the first are indented.
 * Styles count for nothing.
 */
export function wrapped(line: string, width: number, indent: number): string {
  if (lengthOf(line) <= width) return line;
  const lines: string[] = [];
  let [current = '', ...words] = line.split(' ');
  for (const word of words) {
    const longer = `${current} ${word}`;
    // What the line itself is indented by stays with its first word.
    if (lengthOf(longer) <= width || current.trim() === '') {
      current = longer;
    } else {
      lines.push(current);
      current = `${' '.repeat(indent)}${word}`;
    }
  }
  return [...lines, current].join('\n');
}

function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
