import { expect } from 'bun:test';
import type { FaultSite } from './fault-site.ts';

export interface Found {
  readonly status: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: findings are read as JSON.
  readonly findings: any[];
}

/** What a command line finds, a root cause each, in the order in which it says them. */
export async function found(site: FaultSite, by: string): Promise<Found> {
  const { status, stdout, stderr } = await site.type([...by.split(' '), '--format', 'json']);
  if (stdout === '') throw new Error(`${by}: status ${status}: ${stderr}`);
  return { status, findings: JSON.parse(stdout).findings };
}

export function expectFirst({ status, findings: [first] }: Found, rule: string): void {
  expect(first).toMatchObject({ id: rule, page: `docs/rules/${rule}.md` });
  expect(first.evidence).not.toEqual([]);
  expect(status).toBe(first.severity === 'info' ? 0 : 1);
}
