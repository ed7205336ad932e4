import type { FaultSite } from '../faults/fault-site.ts';

// biome-ignore lint/suspicious/noExplicitAny: findings are read as JSON.
type Json = any;

export interface Diagnosed {
  readonly status: number | null;
  /** Of the root causes, in their order. */
  readonly ids: readonly string[];
  readonly findings: readonly Json[];
  readonly unseen: readonly string[];
}

/** What `doctor` says of a node where nothing counts as young; `words` may say otherwise. */
export async function diagnosed(site: Pick<FaultSite, 'type'>, words = '--min-age 1ms'): Promise<Diagnosed> {
  const { status, stdout, stderr } = await site.type([
    'doctor',
    ...words.split(' ').filter(Boolean),
    '--format',
    'json',
  ]);
  if (stdout === '') throw new Error(`doctor: status ${status}: ${stderr}`);
  const { findings, unseen } = JSON.parse(stdout);
  return { status, findings, unseen, ids: findings.map(({ id }: Json) => id) };
}

export const sound: Diagnosed = { status: 0, ids: [], findings: [], unseen: [] };
