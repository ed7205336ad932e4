import { isObject, type Json, type JsonObject, stringifyJson } from '../../cni/json.ts';

/** A place in two documents: what stands there in the one, in the other, or in both. */
export interface Difference {
  readonly key: string;
  /** `inside`: it is there before and after, and something in it is not the same. */
  readonly mark: 'same' | 'added' | 'removed' | 'changed' | 'inside';
  readonly old?: Json;
  readonly now?: Json;
  /** Where it is `inside`. */
  readonly parts: readonly Difference[];
}

/** Two documents laid over each other. Elements of a list belong together when they are equal, or have the same name. */
export function differenceOf(key: string, old: Json | undefined, now: Json | undefined): Difference {
  if (old === undefined) return { key, mark: 'added', ...(now === undefined ? {} : { now }), parts: [] };
  if (now === undefined) return { key, mark: 'removed', old, parts: [] };
  if (stringifyJson(old) === stringifyJson(now)) return { key, mark: 'same', old, now, parts: [] };
  if (isObject(old) && isObject(now)) return { key, mark: 'inside', old, now, parts: members(old, now) };
  if (Array.isArray(old) && Array.isArray(now))
    return { key, mark: 'inside', old, now, parts: elements(old, now) };
  return { key, mark: 'changed', old, now, parts: [] };
}

function members(old: JsonObject, now: JsonObject): Difference[] {
  const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...keys].map((key) => differenceOf(key, old[key], now[key]));
}

/** Each has its place in the new list for a key, or that in the old one. */
function elements(old: readonly Json[], now: readonly Json[]): Difference[] {
  const rest = new Set(old.keys());
  const take = (fits: (one: Json) => boolean) => {
    for (const index of rest) {
      if (!fits(old[index] as Json)) continue;
      rest.delete(index);
      return index;
    }
    return undefined;
  };
  const texts = now.map((one) => stringifyJson(one));
  const partners = texts.map((text) => take((one) => stringifyJson(one) === text));
  for (const [index, one] of now.entries()) {
    const name = nameOf(one);
    if (partners[index] === undefined && name !== undefined)
      partners[index] = take((other) => nameOf(other) === name);
  }
  const pairs = now.map((one, index) => {
    const partner = partners[index];
    return differenceOf(String(index), partner === undefined ? undefined : old[partner], one);
  });
  return [...pairs, ...[...rest].map((index) => differenceOf(String(index), old[index], undefined))];
}

/** What tells the elements of a result apart: the name of an interface, an address, the destination of a route. */
function nameOf(value: Json): string | undefined {
  if (!isObject(value)) return undefined;
  for (const key of ['name', 'address', 'dst']) {
    const name = value[key];
    if (typeof name === 'string') return `${key} ${name} ${value.sandbox ?? ''}`;
  }
  return undefined;
}
