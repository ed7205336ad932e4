import type { Paint } from './terminal.ts';

/** Columns as kubectl prints them: a line of names, then a line for each row; nothing is cut. */
export function table(names: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const widths = names.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd();
  return [paint('bold', line(names)), ...rows.map(line), ''].join('\n');
}
