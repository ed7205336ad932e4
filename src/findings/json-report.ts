import { pageOf } from './finding.ts';
import type { Folded } from './fold.ts';

/** Findings as a program reads them: roots, each with what follows from it in `consequences`. */
export function findingsJson(folded: readonly Folded[]): object[] {
  return folded.map(({ finding, consequences }) => {
    const { follows: _, since, ...rest } = finding;
    return {
      ...rest,
      since: since?.toISOString(),
      page: pageOf(finding),
      consequences: findingsJson(consequences),
    };
  });
}
