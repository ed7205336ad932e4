import type { Finding } from '../findings/finding.ts';
import type { Diagnosis } from './examine.ts';
import { LastLook } from './last-look.ts';
import type { Means, Mend, Mended } from './mend.ts';
import type { SurveySettings } from './survey.ts';

/** A finding that something may be done about. */
export interface Mendable {
  readonly finding: Pick<Finding, 'id' | 'object'>;
  readonly mend: Mend;
}

/** What was done about it. */
export interface Mending extends Mendable, Mended {
  readonly startedAt: Date;
  /** ms */
  readonly duration: number;
  /** What it failed with, when nothing was done. */
  readonly failure: string | undefined;
}

/**
 * What may be done about what was found, in the order in which it is to be done: a DEL takes away most of what others
 * would have to.
 */
export function mendables({ mends }: Diagnosis): Mendable[] {
  const all = [...mends].map(([finding, mend]) => ({ finding, mend }));
  const order = ({ finding }: Mendable) => [...early, finding.id].indexOf(finding.id);
  return all.filter(({ mend }) => mend.difference.length > 0).sort((one, other) => order(one) - order(other));
}

/** Rules whose mends run DELs; and what is damaged hides whose other things are. */
const early = ['D008', 'D006', 'D005'];

/** What mends work with: the last look is one for all of them. */
export function meansOf(settings: SurveySettings, execution: Means['execution']): Means {
  let look: LastLook | undefined;
  return {
    execution,
    look() {
      look ??= new LastLook(settings);
      return look;
    },
  };
}

/** Does it, one after the other; one that fails keeps no other from its turn. `signal` ends it between two of them. */
export async function* mendAll(
  all: readonly Mendable[],
  means: Means,
  signal: AbortSignal | undefined,
): AsyncGenerator<Mending> {
  for (const mendable of all) {
    if (signal?.aborted === true) return;
    const startedAt = new Date();
    const since = performance.now();
    const { done, left, failure } = await attempt(mendable, means);
    yield { ...mendable, done, left, failure, startedAt, duration: performance.now() - since };
  }
}

async function attempt({ mend }: Mendable, means: Means): Promise<Mended & { failure: string | undefined }> {
  try {
    const { done, left } = await mend.apply(means);
    return { done, left, failure: undefined };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { done: [], left: mend.difference.map((line) => line.replace(/^[-+] /, '')), failure };
  }
}
