import type { Contents } from '../bundle/contents.ts';
import { visible } from '../trace/visible-text.ts';
import type { Paint } from './terminal.ts';

/** What a bundle holds: each file with its size and what was redacted in it, and what is missing and why. */
export function bundleList({ files, missing }: Contents, paint: Paint): string {
  const width = Math.max(...files.map(({ name }) => name.length), 0);
  const held = files.flatMap(({ name, text, redacted }) => [
    `  ${visible(name).padEnd(width)}  ${sizeText(Buffer.byteLength(text))}`,
    ...redacted.map((place) => paint('yellow', `      redacted: ${visible(place)}`)),
  ]);
  const lacking = missing.map(({ name, reason }) => `  ${visible(name)}: ${paint('dim', visible(reason))}`);
  return [
    paint('bold', 'The bundle holds'),
    ...held,
    ...(lacking.length === 0 ? [] : [paint('bold', 'and could not have'), ...lacking]),
    '',
  ].join('\n');
}

export function sizeText(bytes: number): string {
  return bytes < 1024 ? `${String(bytes).padStart(6)} B` : `${(bytes / 1024).toFixed(1).padStart(6)} KB`;
}
