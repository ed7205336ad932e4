import { type Json, stringifyJson } from '../cni/json.ts';
import { differenceLines } from '../installation/difference.ts';
import { type CallOutcome, normalised, normalisedText } from './outcome.ts';

/** How a call went then, and how it went again. */
export interface Comparison {
  readonly isSame: boolean;
  /** A unified difference of what they answered, without what must differ; none when that is the same. */
  readonly difference: readonly string[];
  /** By name, in the order in which they began; how often a step was made may differ. */
  readonly steps: readonly StepPair[];
}

export interface StepPair {
  readonly name: string;
  /** ms; undefined where it was not made. */
  readonly recorded: number | undefined;
  readonly replayed: number | undefined;
}

/** @param names texts that belong to the place of either call, with the words that take their place */
export function compare(
  recorded: CallOutcome,
  replayed: CallOutcome,
  names: ReadonlyMap<string, string>,
): Comparison {
  const [then, now] = [recorded, replayed].map((outcome) => answerText(outcome, names)) as [string, string];
  const kind = recorded.error === undefined && replayed.error === undefined ? 'result' : 'answer';
  return {
    isSame: then === now,
    difference: differenceLines(kind, then, now),
    steps: pairs(recorded, replayed, names),
  };
}

/** What a runtime goes by: the details of an error name records and places. */
function answerText({ result, error, duration }: CallOutcome, names: ReadonlyMap<string, string>): string {
  if (error !== undefined)
    return `${stringifyJson({ code: error.code, msg: normalisedText(error.msg, names) }, '  ')}\n`;
  if (duration === undefined) return 'never ended\n';
  return result === undefined ? 'done\n' : `${stringifyJson(normalised(result, names) as Json, '  ')}\n`;
}

function pairs(recorded: CallOutcome, replayed: CallOutcome, names: ReadonlyMap<string, string>): StepPair[] {
  const left = [...replayed.steps];
  const take = (name: string) => {
    const index = left.findIndex((step) => normalisedText(step.name, names) === normalisedText(name, names));
    return index < 0 ? undefined : left.splice(index, 1)[0];
  };
  const both = recorded.steps.map(({ name, duration }) => ({
    ...{ name, recorded: duration },
    replayed: take(name)?.duration,
  }));
  const more = left.map(({ name, duration }) => ({ name, recorded: undefined, replayed: duration }));
  return [...both, ...more];
}
