import { isObject, type Json, newObject, parseJson, stringifyJson } from '../cni/json.ts';

/** Whether two values say the same, whatever the order of their keys; numbers by their digits. */
export function isSameJson(one: Json, other: Json): boolean {
  return stringifyJson(sorted(one)) === stringifyJson(sorted(other));
}

/** The same of two texts; one that is no JSON says nothing that another says. */
export function isSameDocument(one: string, other: string): boolean {
  try {
    return one === other || isSameJson(parseJson(one), parseJson(other));
  } catch {
    return false;
  }
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return newObject(keys.map((key) => [key, sorted(value[key] as Json)]));
}
