import type { Finding } from './finding.ts';
import type { Place } from './place.ts';
import type { Severity } from './rule.ts';

/** Gives a text a style, or leaves it as it is. */
export type Paint = (style: 'bold' | 'red' | 'yellow' | 'cyan' | 'green', text: string) => string;

const styles = { error: 'red', warning: 'yellow', info: 'cyan' } as const satisfies Record<Severity, string>;

/** How much of a line is shown: one may be a whole minified file. */
const widest = 120;

/** Each finding with its line and what to do, then how much was looked at. */
export function textReport(findings: readonly Finding[], counted: Counted, paint: Paint): string {
  const blocks = findings.map((finding) => block(finding, paint));
  return [...blocks, `${summary(findings, counted)}\n`].join('\n');
}

export interface Counted {
  readonly files: number;
  readonly networks: number;
}

function block({ file, place, severity, id, rule, message, fix }: Finding, paint: Paint): string {
  const where = printable(`${file}:${place?.line ?? 1}:${place?.column ?? 1}:`);
  const lines = [
    `${paint('bold', where)} ${paint(styles[severity], severity)} ${id} ${rule}: ${printable(message)}`,
    ...(place === undefined ? [] : caret(place, (text) => paint(styles[severity], text))),
    `  ${paint('green', 'fix:')} ${printable(fix)}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The line that it stands on, and what of it is meant. */
function caret({ source, column, length }: Place, paint: (text: string) => string): string[] {
  const start = source.length > widest ? Math.max(0, column - 1 - widest / 2) : 0;
  const shown = source.slice(start, start + widest);
  const [head, tail] = [start > 0 ? '…' : '', start + widest < source.length ? '…' : ''];
  const before = source.slice(start, column - 1).replace(/[^\t]/g, ' ');
  const marks = '^'.repeat(Math.max(1, Math.min(length, start + widest - (column - 1))));
  return [`    ${head}${printable(shown)}${tail}`, `    ${head === '' ? '' : ' '}${before}${paint(marks)}`];
}

function summary(findings: readonly Finding[], { files, networks }: Counted): string {
  const looked = `${count(files, 'file')}, ${count(networks, 'network')}`;
  const [errors, warnings] = (['error', 'warning'] as const).map(
    (wanted) => findings.filter(({ severity }) => severity === wanted).length,
  );
  if (!errors && !warnings) return `${looked}: nothing found`;
  return `${looked}: ${count(errors ?? 0, 'error')}, ${count(warnings ?? 0, 'warning')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Whatever stands in a file, the terminal does nothing but show it; each character stays one. */
function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd');
}

/** Control characters but the tab, and those that turn the direction of writing or end a line. */
const UNPRINTABLE = /[^\P{Cc}\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
