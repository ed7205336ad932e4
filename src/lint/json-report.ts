import type { Finding } from './finding.ts';

/** A finding as a program reads it: of one without a place in the file, line and column are those of its beginning. */
export function jsonReport(findings: readonly Finding[]) {
  return findings.map(({ id, rule, severity, file, place, path, message, fix, page }) => {
    const [line, column] = [place?.line ?? 1, place?.column ?? 1];
    return { id, rule, severity, file, line, column, path, message, fix, page };
  });
}
