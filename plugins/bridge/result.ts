import { formatCidr, parseCidr } from '../../src/cni/address.ts';
import { type JsonObject, newObject } from '../../src/cni/json.ts';
import type { Result } from '../../src/cni/result.ts';
import { latestVersion } from '../../src/cni/version.ts';
import type { Link } from '../../src/kernel/netlink/link.ts';

/** What an ADD has made. */
export interface Attached {
  readonly bridge: Link;
  /** The node's end of the veth pair. */
  readonly port: Link;
  /** The container's end. */
  readonly inside: Link & { sandbox: string };
  /** The link that has the gateways' addresses in the bridge's place. */
  readonly gateway: Link | undefined;
  /** What IPAM gave, completed. */
  readonly addressing: Result | undefined;
  /** `dns` of the configuration. */
  readonly dns: JsonObject | undefined;
}

/** Bridge, port and container's interface, in the order of the reference: `ips[].interface` is 2 for all. */
export function resultOf({
  bridge,
  port,
  inside,
  gateway,
  addressing,
  dns: configured,
}: Attached): JsonObject {
  const interfaces = [bridge, port, inside, gateway].flatMap((link) =>
    link === undefined ? [] : interfaceOf(link),
  );
  const ips = (addressing?.ips ?? []).map((entry) => {
    const described = newObject([...Object.entries(entry), ['interface', 2]]);
    const address = parseCidr(entry.address);
    if (address !== undefined) described.address = formatCidr(address);
    return described;
  });
  const dns = saysSomething(configured) ? configured : addressing?.dns;
  const result = newObject([
    ['cniVersion', latestVersion],
    ['interfaces', interfaces],
  ]);
  if (ips.length > 0) result.ips = ips;
  if (addressing?.routes?.length) result.routes = addressing.routes;
  if (dns !== undefined) result.dns = dns;
  return result;
}

function interfaceOf({ name, mac, mtu, sandbox }: Link & { sandbox?: string }): JsonObject {
  const described = newObject(Object.entries({ name, mac: mac ?? '', mtu }));
  if (sandbox !== undefined) described.sandbox = sandbox;
  return described;
}

function saysSomething(dns: JsonObject | undefined): dns is JsonObject {
  return Object.values(dns ?? {}).some((value) => value !== null && value !== '');
}
