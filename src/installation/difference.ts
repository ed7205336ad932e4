import { structuredPatch } from 'diff';

/** A unified difference of two texts, a line each, with three lines around every change; none when they are equal. */
export function differenceLines(path: string, before: string, after: string): string[] {
  if (before === after) return [];
  const { hunks } = structuredPatch(path, path, before, after, '', '', { context: 3 });
  return [
    `--- ${path}`,
    `+++ ${path}`,
    ...hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
      `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
      ...lines,
    ]),
  ];
}
