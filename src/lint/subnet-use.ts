import { type Cidr, contains, type Ip, networkOf, parseCidr, parseIp } from '../cni/address.ts';
import { ConfigurationValue } from '../cni/configuration-value.ts';
import { isObject, type Json, type JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { keyPath } from '../cni/problem.ts';
import { type Range, readRange } from '../ipam/range.ts';
import { ipamTypeOf, isBridge, type LintedPlugin, pathIn } from './linted-plugin.ts';

/** A range of host-local's as it is written: what is malformed is as good as absent, another rule has it. */
export interface SubnetUse {
  readonly plugin: LintedPlugin;
  /** Of the object that it stands in. */
  readonly path: string;
  /** Without host bits. */
  readonly subnet: Cidr;
  readonly gateway: Ip | undefined;
  readonly start: Ip | undefined;
  readonly end: Ip | undefined;
  /** With its defaults; undefined where host-local refuses it. */
  readonly range: Range | undefined;
}

/** The subnets that a plugin gives addresses of, in order. */
export function subnetUses(plugin: LintedPlugin): SubnetUse[] {
  if (isNodeSubnet(plugin)) return useOf(plugin, plugin.path, plugin.value);
  if (ipamTypeOf(plugin.value) !== 'host-local') return [];
  const ipam = lookUp(plugin.value, 'ipam') as JsonObject;
  const path = pathIn(plugin, 'ipam');
  const sets = elements(keyPath(path, 'ranges'), lookUp(ipam, 'ranges'));
  const listed = sets.flatMap(({ path, value }) => elements(path, value));
  return [{ path, value: ipam }, ...listed].flatMap(({ path, value }) => useOf(plugin, path, value));
}

/** Whether `subnet` stands beside `bridge` in place of an `ipam` with a type. */
export function isNodeSubnet(plugin: LintedPlugin): boolean {
  return (
    isBridge(plugin) && ipamTypeOf(plugin.value) === '' && (lookUp(plugin.value, 'subnet') ?? null) !== null
  );
}

export function overlap(one: Cidr, other: Cidr): boolean {
  return contains(one, other.ip) || contains(other, one.ip);
}

function useOf(plugin: LintedPlugin, path: string, value: Json): SubnetUse[] {
  if (!isObject(value)) return [];
  const subnet = read(value, 'subnet', parseCidr);
  if (subnet === undefined) return [];
  const [gateway, start, end] = isNodeSubnet(plugin)
    ? []
    : ['gateway', 'rangeStart', 'rangeEnd'].map((key) => read(value, key, parseIp));
  return [{ plugin, path, subnet: networkOf(subnet), gateway, start, end, range: rangeOf(path, value) }];
}

function rangeOf(path: string, value: JsonObject): Range | undefined {
  try {
    return readRange(new ConfigurationValue(path, value), 0);
  } catch {
    return undefined;
  }
}

function read<T>(value: JsonObject, key: string, parse: (text: string) => T | undefined): T | undefined {
  const text = lookUp(value, key);
  return typeof text === 'string' ? parse(text) : undefined;
}

function elements(path: string, value: Json | undefined): { path: string; value: Json }[] {
  return Array.isArray(value) ? value.map((item, index) => ({ path: `${path}[${index}]`, value: item })) : [];
}
