/** Takes two columns: East Asian wide characters and emoji, as far as terminals agree. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** How many columns of a terminal a text without control characters takes. */
export function columnsOf(text: string): number {
  // Nearly always.
  if (/^[ -~]*$/.test(text)) return text.length;
  return [...text].reduce((columns, character) => columns + widthOf(character), 0);
}

function widthOf(character: string): number {
  return /^\p{M}$/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
}

/** The text in exactly so many columns: filled with spaces, or cut, with `ellipsis` where something is missing. */
export function cell(text: string, columns: number, ellipsis: string): string {
  const length = columnsOf(text);
  if (length <= columns) return text + ' '.repeat(columns - length);
  let kept = '';
  let used = 0;
  for (const character of text) {
    const width = widthOf(character);
    if (used + width > columns - ellipsis.length) break;
    kept += character;
    used += width;
  }
  return kept + ellipsis + ' '.repeat(columns - used - ellipsis.length);
}
