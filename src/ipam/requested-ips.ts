import { formatIp, type Ip, parseCidr, parseIp, sameIp } from '../cni/address.ts';
import type { ConfigurationValue } from '../cni/configuration-value.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { type RangeSet, rangeOf } from './range.ts';

/**
 * The addresses that the runtime asks for: `IP` in CNI_ARGS, then `args.cni.ips`, then `runtimeConfig.ips`, each with a
 * prefix length or without, which is then ignored. Throws code 7.
 */
export function readRequestedIps(args: string, configuration: ConfigurationValue): Ip[] {
  const lists = [
    configuration.key('args').key('cni').key('ips'),
    configuration.key('runtimeConfig').key('ips'),
  ];
  const listed = lists.flatMap((list) => list.elements()).map(readIp);
  const argument = readArgs(args);
  const requested = argument === undefined ? listed : [argument, ...listed];
  return requested.filter((ip, index) => requested.findIndex((earlier) => sameIp(earlier, ip)) === index);
}

/**
 * The address that each set is asked for, undefined where it is any. Throws code 7 when one is in no set, or is the
 * second of its set: better now than when the others have been taken.
 */
export function assignRequested(sets: readonly RangeSet[], requested: readonly Ip[]): (Ip | undefined)[] {
  const left = [...requested];
  const assigned = sets.map((set) => {
    const index = left.findIndex((ip) => rangeOf(set, ip) !== undefined);
    return index < 0 ? undefined : left.splice(index, 1)[0];
  });
  if (left.length === 0) return assigned;
  const names = left.map(formatIp).join(' ');
  throw new CniError(ErrorCode.invalidConfiguration, `failed to allocate all requested IPs: ${names}`, {
    details: 'each range set gives one address, and a requested one must be in the ranges of a set',
  });
}

function readIp(value: ConfigurationValue): Ip {
  const text = value.text() ?? '';
  const ip = parseIpWithPrefix(text);
  if (ip === undefined) throw value.error('is not an IP address');
  return ip;
}

function parseIpWithPrefix(text: string): Ip | undefined {
  return text.includes('/') ? parseCidr(text)?.ip : parseIp(text);
}

/**
 * As `types.LoadArgs` of the reference, which refuses what it does not know unless it is told to ignore that. But `MAC`
 * is for the plugin that makes the interface, and whoever asks for both means no mistake.
 */
function readArgs(args: string): Ip | undefined {
  let ip: Ip | undefined;
  let ignoreUnknown = false;
  const unknown: string[] = [];
  for (const pair of args === '' ? [] : args.split(';')) {
    const [key, value, ...more] = pair.split('=');
    if (value === undefined || more.length > 0) throw refusal(`invalid pair ${JSON.stringify(pair)}`);
    if (key === 'IP') {
      ip = value === '' ? undefined : parseIpWithPrefix(value);
      if (ip === undefined && value !== '') throw badValue(pair, `invalid IP address ${value}`);
    } else if (key === 'IgnoreUnknown') {
      if (!/^(?:0|1|true|false)$/i.test(value))
        throw badValue(pair, `boolean unmarshal error: invalid input ${value.toLowerCase()}`);
      ignoreUnknown = /^(?:1|true)$/i.test(value);
    } else if (key !== 'MAC') unknown.push(pair);
  }
  if (unknown.length > 0 && !ignoreUnknown) {
    throw refusal(`unknown args [${unknown.map((pair) => JSON.stringify(pair)).join(' ')}]`);
  }
  return ip;
}

function badValue(pair: string, reason: string): CniError {
  return refusal(`error parsing value of pair ${JSON.stringify(pair)}: ${reason}`);
}

function refusal(reason: string): CniError {
  return new CniError(ErrorCode.invalidConfiguration, `ARGS: ${reason}`);
}
