import { isObject, type Json } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';

/** The addresses that a prevResult of any version has, as they are written; what is malformed has none. */
export function addressesIn(prevResult: Json | undefined): string[] {
  if (!isObject(prevResult)) return [];
  const ips = lookUp(prevResult, 'ips');
  const addresses = (Array.isArray(ips) ? ips : []).map((entry) => textOf(entry, 'address'));
  const families = ['ip4', 'ip6'].map((key) => textOf(lookUp(prevResult, key) ?? null, 'ip'));
  return [...addresses, ...families].filter((text) => text !== undefined);
}

function textOf(value: Json, key: string): string | undefined {
  const text = isObject(value) ? lookUp(value, key) : undefined;
  return typeof text === 'string' ? text : undefined;
}
