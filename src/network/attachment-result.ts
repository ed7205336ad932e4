import { formatCidr, parseCidr } from '../cni/address.ts';
import { type JsonObject, newObject } from '../cni/json.ts';
import type { Result } from '../cni/result.ts';
import { latestVersion } from '../cni/version.ts';
import type { Link } from '../kernel/netlink/link.ts';

/** What an ADD has made. */
export interface Attached {
  /** In the order of the result; one with a `sandbox` is the container's. */
  readonly interfaces: readonly (Link & { readonly sandbox?: string })[];
  /** The position of the one that has the addresses. */
  readonly addressed: number;
  /** What IPAM gave, completed; undefined for an interface without addresses. */
  readonly addressing: Result | undefined;
  /** `dns` of the configuration, which is answered in place of what IPAM says. */
  readonly dns: JsonObject | undefined;
}

/** The result of an ADD that made an interface, in the latest version. */
export function attachmentResult({
  interfaces,
  addressed,
  addressing,
  dns: configured,
}: Attached): JsonObject {
  const ips = (addressing?.ips ?? []).map((entry) => {
    const described = newObject([...Object.entries(entry), ['interface', addressed]]);
    const address = parseCidr(entry.address);
    if (address !== undefined) described.address = formatCidr(address);
    return described;
  });
  const dns = saysSomething(configured) ? configured : addressing?.dns;
  const result = newObject([
    ['cniVersion', latestVersion],
    ['interfaces', interfaces.map(interfaceOf)],
  ]);
  if (ips.length > 0) result.ips = ips;
  if (addressing?.routes?.length) result.routes = addressing.routes;
  if (dns !== undefined) result.dns = dns;
  return result;
}

function interfaceOf({ name, mac, mtu, sandbox }: Attached['interfaces'][number]): JsonObject {
  const described = newObject(Object.entries({ name, mac: mac ?? '', mtu }));
  if (sandbox !== undefined) described.sandbox = sandbox;
  return described;
}

function saysSomething(dns: JsonObject | undefined): dns is JsonObject {
  return Object.values(dns ?? {}).some((value) => value !== null && value !== '');
}
