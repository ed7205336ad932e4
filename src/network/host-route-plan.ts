import { type Cidr, formatCidr } from '../cni/address.ts';
import type { Problem } from '../cni/problem.ts';
import { ESRCH } from '../kernel/errno.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import type { Route } from '../kernel/netlink/route.ts';
import { addRoute, deleteRoute, type RouteChange, replaceRoute } from '../kernel/netlink/route-change.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import { type HostRoute, hostRouteText } from './host-route.ts';
import { HOST_ROUTE_PROTOCOL, type NodeRoutes } from './node-routes.ts';
import type { Undo } from './undo.ts';

/** What has to be done to the node's routes. */
export interface RoutePlan {
  readonly changes: readonly Change[];
  /** What cannot be done: the route is somebody else's. */
  readonly problems: readonly Problem[];
}

interface Change {
  /** The route to set; absent where there is only something to remove. */
  readonly wanted: HostRoute | undefined;
  /** Routes of ours to the same destination that lead elsewhere. */
  readonly wrong: readonly Route[];
}

/** What another network of the node wants, and the file that says so. */
export interface Rival {
  readonly network: string;
  readonly route: HostRoute;
  readonly file: string;
}

/** Undefined for a destination that no other network wants. */
export type Others = (dst: Cidr) => Rival | undefined;

/** How the node gets to the wanted routes, and loses those to the destinations that are `left`. Changes nothing. */
export function planHostRoutes(
  node: NodeRoutes,
  wanted: readonly HostRoute[],
  left: readonly Cidr[],
  others: Others,
): RoutePlan {
  const problems: Problem[] = [];
  const changes: Change[] = [];
  for (const route of wanted) {
    const found = node.to(route.dst);
    const isRight = (one: Route): boolean => node.leads(one, route);
    const wrong = found.filter((one) => isOurs(one) && !isRight(one));
    const complaint = foreignComplaint(node, route, found) ?? rivalComplaint(route, others);
    if (complaint !== undefined) problems.push({ path: `${route.path}.dst`, message: complaint });
    else if (!found.some(isRight)) changes.push({ wanted: route, wrong });
    else if (wrong.length > 0) changes.push({ wanted: undefined, wrong });
  }
  for (const dst of left) {
    const wrong = node.to(dst).filter(isOurs);
    if (wrong.length > 0 && others(dst) === undefined) changes.push({ wanted: undefined, wrong });
  }
  return { changes, problems };
}

/** Throws NetlinkError. Each change pushes what takes it back. */
export function changeHostRoutes(
  socket: NetlinkSocket,
  node: NodeRoutes,
  changes: readonly Change[],
  undo: Undo,
): void {
  for (const { wanted, wrong } of changes) {
    const [first] = wrong;
    if (wanted === undefined) removeRoutes(socket, node, wrong, undo);
    else if (first === undefined) add(socket, wantedChange(node, wanted), undo);
    else replace(socket, node, wanted, wrong, undo);
  }
}

/** What is wrong with a route that should be there, or undefined; for CHECK. */
export function hostRouteDifference(node: NodeRoutes, wanted: HostRoute): string | undefined {
  const [first] = node.to(wanted.dst);
  if (first === undefined) return `there is no route to ${hostRouteText(wanted)}`;
  if (node.leads(first, wanted)) return undefined;
  return `the route to ${hostRouteText(wanted)} leads elsewhere: ${node.textOf(first)}`;
}

const isOurs = ({ protocol }: Route): boolean => protocol === HOST_ROUTE_PROTOCOL;

/**
 * Never replaced: whoever made it may rely on it. One that leads the same way is as good as ours, and one that packets
 * do not take, because of its metric, is in nobody's way.
 */
function foreignComplaint(node: NodeRoutes, wanted: HostRoute, found: readonly Route[]): string | undefined {
  const [first] = found;
  if (first !== undefined && node.leads(first, wanted)) return undefined;
  const stranger = found.find((route) => !isOurs(route) && !node.leads(route, wanted));
  if (stranger === undefined) return undefined;
  const text = node.textOf(stranger);
  return (
    `${wanted.path}: the node has a route that is not ours and leads elsewhere than ${hostRouteText(wanted)}: ` +
    `${JSON.stringify(text)}; remove it ("ip route del ${text}"), or take the destination out of the list`
  );
}

/** Two networks that both had their way would take the route from each other at every ADD. */
function rivalComplaint(wanted: HostRoute, others: Others): string | undefined {
  const rival = others(wanted.dst);
  if (rival === undefined || hostRouteText(rival.route) === hostRouteText(wanted)) return undefined;
  return (
    `${wanted.path}: ${hostRouteText(wanted)} is wanted, and network "${rival.network}" of this node wants ` +
    `${hostRouteText(rival.route)}; let both have the same route, or remove ${rival.file} where that network is no more`
  );
}

function wantedChange(node: NodeRoutes, { dst, gw, dev }: HostRoute): RouteChange {
  const link = dev === undefined ? undefined : node.link(dev);
  return { dst, gateway: gw, link, protocol: HOST_ROUTE_PROTOCOL };
}

function add(socket: NetlinkSocket, route: RouteChange, undo: Undo): void {
  addRoute(socket, route);
  undo.push(`route to ${formatCidr(route.dst)}`, () => remove(socket, route));
}

/** At once, so that no packet goes astray meanwhile; all routes there are to the destination are ours. */
function replace(
  socket: NetlinkSocket,
  node: NodeRoutes,
  wanted: HostRoute,
  wrong: readonly Route[],
  undo: Undo,
): void {
  const route = wantedChange(node, wanted);
  const replaced = wrong.find(({ priority }) => priority === DEFAULT_PRIORITY[wanted.dst.ip.length]);
  replaceRoute(socket, route);
  undo.push(`route to ${formatCidr(wanted.dst)}`, () => {
    if (replaced !== undefined && replaced.nextHops === undefined)
      replaceRoute(socket, node.asChange(replaced));
    else remove(socket, route);
  });
  removeRoutes(
    socket,
    node,
    wrong.filter((one) => one !== replaced),
    undo,
  );
}

function removeRoutes(socket: NetlinkSocket, node: NodeRoutes, routes: readonly Route[], undo: Undo): void {
  for (const route of routes) {
    const change = node.asChange(route);
    remove(socket, change);
    undo.push(`route to ${route.dst}`, () => addRoute(socket, change, 'append'));
  }
}

/** What is gone already is success. */
function remove(socket: NetlinkSocket, route: RouteChange): void {
  try {
    deleteRoute(socket, route);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === ESRCH)) throw error;
  }
}

/** What the kernel gives a route without RTA_PRIORITY, by the length of its addresses; see Route.priority. */
const DEFAULT_PRIORITY: Record<number, number | undefined> = { 4: undefined, 16: 1024 };
