import { type Cidr, contains, family, formatCidr, formatIp, type Ip, networkOf } from '../cni/address.ts';
import type { ConfigurationValue } from '../cni/configuration-value.ts';
import { ifNameComplaint } from '../cni/environment.ts';
import { CniError } from '../cni/error.ts';
import { type JsonObject, newObject } from '../cni/json.ts';
import { type Problem, problemOf } from '../cni/problem.ts';

/** A route of the node to pods that are not on it. */
export interface HostRoute {
  /** Where it was asked for: `routes[0]`. */
  readonly path: string;
  /** Without host bits. */
  readonly dst: Cidr;
  /** The other node; absent where the pods are on the link itself. */
  readonly gw: Ip | undefined;
  /** The link that it leads out of; absent where the kernel finds it by the gateway. */
  readonly dev: string | undefined;
}

export interface RouteList {
  readonly routes: readonly HostRoute[];
  readonly problems: readonly Problem[];
}

/** As many things that are wrong as are said at once: a file of megabytes may be wrong in every entry. */
export const mostProblems = 20;

/** A list of `{ dst, gw, dev }`, with what is wrong with it whatever the node is like. Throws nothing. */
export function readHostRoutes(list: ConfigurationValue): RouteList {
  const problems: Problem[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      problems.push(problemOf(error, list.path));
      return undefined;
    }
  };
  const known = new Map<string, string>();
  const routes = (attempt(() => list.elements()) ?? []).flatMap((entry) => {
    // Nobody will use the list any more.
    if (problems.length >= mostProblems) return [];
    if (attempt(() => entry.object() ?? refuse(entry)) === undefined) return [];
    const dst = attempt(() => readDestination(entry.key('dst'), known));
    const [link, gateway] = [entry.key('dev'), entry.key('gw')];
    const dev = attempt(() => readDevice(link));
    const gw = attempt(() => readGateway(gateway, dst, dev));
    if (gateway.isAbsent && link.isAbsent)
      attempt(() => refuse(entry, 'has neither "gw" nor "dev": one of them says where it leads'));
    return dst === undefined ? [] : [{ path: entry.path, dst, gw, dev }];
  });
  return { routes, problems };
}

/** As `ip route` writes it: `100.100.2.0/24 via 200.0.0.30 dev enp8s0`. */
export function hostRouteText({ dst, gw, dev }: HostRoute): string {
  const words = [formatCidr(dst)];
  if (gw !== undefined) words.push('via', formatIp(gw));
  if (dev !== undefined) words.push('dev', dev);
  return words.join(' ');
}

/** As it is read by `readHostRoutes`. */
export function hostRouteJson({ dst, gw, dev }: HostRoute): JsonObject {
  const route = newObject([['dst', formatCidr(dst)]]);
  if (gw !== undefined) route.gw = formatIp(gw);
  if (dev !== undefined) route.dev = dev;
  return route;
}

function readDestination(value: ConfigurationValue, known: Map<string, string>): Cidr {
  const dst = value.cidr() ?? refuse(value);
  const network = networkOf(dst);
  const text = formatCidr(network);
  if (text !== formatCidr(dst)) throw value.error(`has host bits: its network is ${text}`);
  if (dst.prefixLength === 0) throw value.error('is the default route, which is the node’s own affair');
  const before = known.get(text);
  if (before !== undefined) throw value.error(`stands in ${before} already`);
  known.set(text, value.path);
  return network;
}

function readDevice(value: ConfigurationValue): string | undefined {
  const name = value.text();
  if (name === undefined) return undefined;
  const complaint = name === '' ? 'is no name of an interface' : ifNameComplaint(name);
  if (complaint !== undefined) throw value.error(complaint);
  return name;
}

function readGateway(
  value: ConfigurationValue,
  dst: Cidr | undefined,
  dev: string | undefined,
): Ip | undefined {
  const gw = value.text() === '' ? refuse(value, 'is not an IP address') : value.ip();
  if (gw === undefined) return undefined;
  if (gw.every((byte) => byte === 0)) throw value.error('is no address of a node');
  // RTA_VIA, which says a gateway of the other family, is for routes of IPv4 only.
  if (dst !== undefined && family(dst.ip) === 6 && family(gw) === 4)
    throw value.error('is of IPv4, and the route is of IPv6');
  if (dev === undefined && contains(LINK_LOCAL, gw))
    throw value.error('is on every link: "dev" must say which is meant');
  return gw;
}

function refuse(value: ConfigurationValue, complaint = 'is missing'): never {
  throw value.error(complaint);
}

/** fe80::/10 */
const LINK_LOCAL: Cidr = {
  ip: Uint8Array.of(0xfe, 0x80, ...new Array<number>(14).fill(0)),
  prefixLength: 10,
};
