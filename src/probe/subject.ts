import { type Cidr, type Ip, parseCidr, parseIp } from '../cni/address.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../cni/json.ts';
import { addressesOf } from '../cni/result.ts';
import type { KnownAttachment } from '../node/every-attachment.ts';
import { type CachedAttachment, ResultCache } from '../runtime/result-cache.ts';

/** The container that a probe is of, and what its runtime remembers of it. */
export interface Subject {
  /** Its pod, or its ID. */
  readonly name: string;
  readonly netns: string;
  readonly interfaces: readonly SubjectInterface[];
  readonly dns: SubjectDns;
}

/** What its results say of names. */
export interface SubjectDns {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export interface SubjectInterface {
  readonly ifName: string;
  /** Empty where nobody knows of which it is. */
  readonly network: string;
  readonly addresses: readonly Cidr[];
  /** Those that the result names. */
  readonly gateways: readonly Ip[];
  /** The network is configured to give what leaves it the address of the node. */
  readonly wantsMasquerade: boolean;
  readonly hostPorts: readonly HostPort[];
}

export interface HostPort {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostIP?: Ip;
}

/** Attachments of one container. A cached result that cannot be read is said by everyAttachment, and missing here. */
export function subjectOf(
  attachments: readonly [KnownAttachment, ...KnownAttachment[]],
  cacheDir: string,
): Subject {
  const [{ containerID, pod, netns }] = attachments;
  const cache = new ResultCache(cacheDir);
  const known = attachments.map((attachment) => ({ attachment, cached: cachedOf(cache, attachment) }));
  return {
    name: pod ?? containerID,
    netns,
    // Runtimes attach the loopback like any other.
    interfaces: known
      .filter(({ attachment }) => attachment.ifName !== 'lo')
      .map(({ attachment, cached }) => interfaceOf(attachment, cached)),
    dns: dnsOf(known.map(({ cached }) => cached?.result)),
  };
}

function cachedOf(cache: ResultCache, attachment: KnownAttachment): CachedAttachment | undefined {
  try {
    return cache.read(attachment);
  } catch {
    return undefined;
  }
}

function interfaceOf(attachment: KnownAttachment, cached: CachedAttachment | undefined): SubjectInterface {
  const { ifName, network } = attachment;
  const addresses = cached?.result === undefined ? attachment.addresses : addressesOf(cached.result);
  return {
    ifName: ifName === '' ? 'eth0' : ifName,
    network,
    addresses: addresses.flatMap((text) => parseCidr(text) ?? hostAddress(text) ?? []),
    gateways: gatewaysOf(cached?.result),
    wantsMasquerade: asksForMasquerade(cached?.config ?? ''),
    hostPorts: hostPortsOf(cached?.capabilityArgs.portMappings),
  };
}

/** A lease has no prefix length. */
function hostAddress(text: string): Cidr | undefined {
  const ip = parseIp(text);
  return ip && { ip, prefixLength: ip.length * 8 };
}

function gatewaysOf(result: JsonObject | undefined): Ip[] {
  const ips = Array.isArray(result?.ips) ? result.ips.filter(isObject) : [];
  return ips.flatMap(({ gateway }) => (typeof gateway === 'string' ? (parseIp(gateway) ?? []) : []));
}

function dnsOf(results: readonly (JsonObject | undefined)[]): SubjectDns {
  const all = results.map((result) => result?.dns).filter(isObject);
  const listed = (key: string): string[] =>
    all.flatMap(({ [key]: list }) =>
      Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [],
    );
  return { nameservers: listed('nameservers'), search: listed('search'), options: listed('options') };
}

/** `ipMasq`, wherever it stands: of bridge, of ptp, of what flannel delegates to. */
function asksForMasquerade(config: string): boolean {
  try {
    return hasTrue(parseJson(config), 'ipMasq');
  } catch {
    return false;
  }
}

function hasTrue(value: Json, key: string): boolean {
  if (Array.isArray(value)) return value.some((item) => hasTrue(item, key));
  if (!isObject(value)) return false;
  return value[key] === true || Object.values(value).some((item) => item !== undefined && hasTrue(item, key));
}

function hostPortsOf(mappings: Json | undefined): HostPort[] {
  if (!Array.isArray(mappings)) return [];
  return mappings.filter(isObject).flatMap((mapping) => {
    const [hostPort, containerPort] = [Number(mapping.hostPort), Number(mapping.containerPort)];
    if (!(hostPort > 0 && containerPort > 0)) return [];
    const hostIP = typeof mapping.hostIP === 'string' ? parseIp(mapping.hostIP) : undefined;
    const isAny = hostIP === undefined || hostIP.every((byte) => byte === 0);
    const protocol = typeof mapping.protocol === 'string' ? mapping.protocol.toLowerCase() : 'tcp';
    return [{ hostPort, containerPort, protocol: protocol || 'tcp', ...(isAny ? {} : { hostIP }) }];
  });
}
