import { isObject, type Json, newObject } from '../cni/json.ts';

/**
 * A copy of a document in which each text that a recorded result had is the one that stands in its place in the result of
 * the replayed call: what a later call of the same attachment is given is about the interface that is there now.
 */
export function withChangedValues(
  document: Json,
  recorded: Json | undefined,
  replayed: Json | undefined,
): Json {
  const changed = new Map<string, string>();
  collect(recorded, replayed, changed);
  return withTexts(document, changed);
}

/** A copy of a document with other texts in the place of some, as whole values. */
export function withTexts(value: Json, changed: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return changed.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => withTexts(item, changed));
  if (!isObject(value)) return value;
  return newObject(Object.entries(value).map(([key, member]) => [key, withTexts(member, changed)]));
}

function collect(one: Json | undefined, other: Json | undefined, changed: Map<string, string>): void {
  if (typeof one === 'string' && typeof other === 'string') {
    if (one !== other && one !== '') changed.set(one, other);
  } else if (Array.isArray(one) && Array.isArray(other)) {
    for (const [index, item] of one.entries()) collect(item, other[index], changed);
  } else if (isObject(one) && isObject(other)) {
    for (const [key, member] of Object.entries(one))
      if (key !== 'cniVersion') collect(member, other[key], changed);
  }
}
