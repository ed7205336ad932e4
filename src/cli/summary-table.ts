import type { SummaryRow } from '../trace/call-summary.ts';
import { visible } from '../trace/visible-text.ts';
import { durationText } from './duration-text.ts';
import { table } from './table.ts';
import type { Paint } from './terminal.ts';

const names = ['PLUGIN', 'COMMAND', 'CALLS', 'ERRORS', 'P50', 'P95', 'MAX'];

/** A line for each plugin and command, those of a delegate below the plugin that ran it. */
export function summaryTable(rows: readonly SummaryRow[], paint: Paint): string {
  const hasUnended = rows.some(({ unended }) => unended > 0);
  const lines = rows.map(({ plugin, inside, command, calls, errors, unended, p50, p95, max }) => [
    visible(`${inside === undefined ? '' : '  '}${plugin || '(no type)'}`),
    visible(command || '(none)'),
    ...[calls, errors].map(String),
    ...[p50, p95, max].map((ms) => (ms === undefined ? '-' : durationText(ms))),
    ...(hasUnended ? [String(unended)] : []),
  ]);
  const columns = hasUnended ? [...names, 'UNENDED'] : names;
  return table(columns, aligned(lines, 2), paint);
}

/** Numbers from the column `first` on end below each other. */
function aligned(lines: readonly (readonly string[])[], first: number): string[][] {
  const widths = names.map((_, column) => Math.max(0, ...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line.map((text, column) => (column < first ? text : text.padStart(widths[column] ?? 0))),
  );
}
