import { contains, type Ip, parseIp, sameIp } from '../cni/address.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import type { Link } from '../kernel/netlink/link.ts';
import type { ProbeRun } from './probe-run.ts';
import type { SubjectInterface } from './subject.ts';

/** Who takes what a container sends to elsewhere, and the container's own address on that link. */
export interface Gateway {
  readonly ip: Ip;
  readonly link: Link;
  readonly source: Ip;
}

/** The gateways of the routes that lead out of an interface; where there are none, those that its result names. */
export function gatewaysOf(run: ProbeRun, { ifName, gateways }: SubjectInterface): Gateway[] {
  const link = run.inside.links.find(({ name }) => name === ifName);
  if (link === undefined) return [];
  const routed = run.inside.routes
    .filter(({ oif }) => oif === link.index)
    .flatMap(({ gateway }) => (gateway === undefined ? [] : (parseIp(gateway) ?? [])));
  const named = gateways.filter((ip) => !routed.some((one) => one.length === ip.length));
  const distinct = new Map([...routed, ...named].map((ip) => [ipText(ip), ip]));
  return [...distinct.values()].flatMap((ip) => {
    const source = sourceFor(run, link, ip);
    return source === undefined ? [] : [{ ip, link, source }];
  });
}

/** One whose network has the gateway, or else any of its family. */
function sourceFor({ inside }: ProbeRun, link: Link, gateway: Ip): Ip | undefined {
  const own = inside.addresses.flatMap(({ index, address, prefixLength }) => {
    const ip = index === link.index ? parseIp(address) : undefined;
    return ip?.length === gateway.length && !sameIp(ip, gateway) ? [{ ip, prefixLength }] : [];
  });
  return (own.find((cidr) => contains(cidr, gateway)) ?? own[0])?.ip;
}
