import { Survey } from './survey.ts';

/** What an ADD or a DEL is at is not finished in a moment, but in this time (ms) it has gone on. */
const pauseMs = 150;

/**
 * What `look` finds, and finds once more a little later on a node that is read anew: while containers come and go, two
 * parts of the node that were read one after the other need not fit. Without a first finding nobody waits.
 */
export async function foundTwice<T>(
  survey: Survey,
  look: (survey: Survey) => readonly T[],
  keyOf: (found: T) => string,
): Promise<T[]> {
  const first = new Set(look(survey).map(keyOf));
  if (first.size === 0) return [];
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  return look(new Survey(survey.settings)).filter((found) => first.has(keyOf(found)));
}
