import { isObject, type Json, type JsonObject, parseJson } from '../../cni/json.ts';

/** What a plugin was given of a result, and what it made of it; undefined where nobody knows. */
export interface Results {
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** prevResult and result of a call. */
export function resultsOfCall({ prevResult, result }: JsonObject): Results {
  return { before: prevResult, after: result };
}

/**
 * The same of a delegate. One that is built in leaves no stdout: its result is what the next of the list was given, or
 * what the call answered.
 */
export function resultsOfDelegate(record: JsonObject, index: number): Results {
  const delegates = Array.isArray(record.delegates) ? record.delegates : [];
  const delegate = delegates[index];
  if (!isObject(delegate)) return { before: undefined, after: undefined };
  const before = isObject(delegate.stdin) ? delegate.stdin.prevResult : undefined;
  if (delegate.failure !== undefined || delegate.command !== 'ADD') return { before, after: undefined };
  const next = delegates
    .slice(index + 1)
    .find((one): one is JsonObject => isObject(one) && one.command === 'ADD');
  const given = isObject(next?.stdin) ? next.stdin.prevResult : undefined;
  return { before, after: answered(delegate.stdout) ?? (next === undefined ? record.result : given) };
}

function answered(stdout: Json | undefined): Json | undefined {
  if (typeof stdout !== 'string') return undefined;
  try {
    return parseJson(stdout);
  } catch {
    return undefined;
  }
}
