import type { FakePlugin } from './fake-plugin.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads a record as the operator's jq does.
export function lastRecord(fake: FakePlugin): any {
  return fake.records().at(-1);
}

/** The findings about hooks. */
export function failures(fake: FakePlugin): string[] {
  const findings: { rule: string; message: string }[] = lastRecord(fake).findings;
  return findings.filter(({ rule }) => rule === 'hook-failed').map(({ message }) => message);
}
