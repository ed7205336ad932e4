import { integerOf } from '../../src/cni/json.ts';
import { requiredPrevResult } from '../../src/cni/prev-result.ts';
import type { Result } from '../../src/cni/result.ts';
import { ipamDifferences } from '../../src/ipam/ipam-differences.ts';
import { getLink, type Link, listLinks } from '../../src/kernel/netlink/link.ts';
import { type NetlinkSocket, openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import { openContainer } from '../../src/network/container-namespace.ts';
import { differs, refuseDifferences } from '../../src/trace/differences.ts';
import { namespaceDifferences } from '../../src/trace/namespace-check.ts';
import type { Call } from './call.ts';

/** Compares the container and the master with prevResult and configuration. All that differs is one error. */
export async function examine(call: Call): Promise<void> {
  const result = requiredPrevResult(call.invocation.configuration);
  const differences = [
    ...(await ipamDifferences(call.ipam)),
    ...namespaceDifferences(result, call.invocation.netns),
    ...linkDifferences(call, result),
  ];
  refuseDifferences(differences, 'node');
}

function linkDifferences(call: Call, result: Result): string[] {
  const { invocation, surroundings, settings } = call;
  const container = openContainer(invocation);
  const sockets = [openRouteSocket(container, surroundings.step)];
  try {
    const [inside] = sockets as [NetlinkSocket];
    const outside = settings.linkInContainer ? inside : openRouteSocket(undefined, surroundings.step);
    if (outside !== inside) sockets.push(outside);
    const link = getLink(inside, invocation.ifName);
    return [...interfaceDifferences(call, link, result), ...masterDifferences(call, outside, link)];
  } finally {
    for (const socket of sockets) socket.close();
    container.close();
  }
}

/** What a result does not say of an interface, and one more thing: that it says anything of this one. */
function interfaceDifferences(
  { invocation, settings }: Call,
  link: Link | undefined,
  result: Result,
): string[] {
  const { ifName } = invocation;
  const recorded = (result.interfaces ?? []).find(({ name, sandbox }) => sandbox && name === ifName);
  const unnamed = differs(recorded === undefined, `prevResult has no interface "${ifName}" of the container`);
  // Of one that prevResult names, that it is missing has been said.
  const missing = differs(recorded === undefined, `there is no interface "${ifName}" in ${invocation.netns}`);
  if (link === undefined) return [...unnamed, ...missing];
  if (link.kind !== 'macvlan') return [...unnamed, `"${ifName}" is not a macvlan`];
  const mtu = integerOf(recorded?.mtu) || settings.mtu || link.mtu;
  return [
    ...unnamed,
    ...differs(
      link.macvlanMode !== settings.mode,
      `"${ifName}" is in mode ${link.macvlanMode}, not ${settings.mode}`,
    ),
    ...differs(link.mtu !== mtu, `"${ifName}" has MTU ${link.mtu}, not ${mtu}`),
    ...differs(!link.up, `"${ifName}" is down`),
  ];
}

/** Without `master` it is the one that the link is on: the default route may have moved since. */
function masterDifferences({ settings }: Call, outside: NetlinkSocket, link: Link | undefined): string[] {
  const { master: name, linkInContainer } = settings;
  const where = linkInContainer ? 'in the container' : 'on the node';
  const macvlan = link?.kind === 'macvlan' ? link : undefined;
  // Of an index nobody knows whose it is; of several links that fit, one is enough.
  const isIts = (one: Link) => macvlan !== undefined && carries(one, macvlan, linkInContainer);
  if (name === undefined) {
    const [master, ...others] = macvlan === undefined ? [] : listLinks(outside).filter(isIts);
    if (master !== undefined) return downDifferences([master, ...others]);
    return differs(macvlan !== undefined, `"${macvlan?.name}" is on no link ${where}`);
  }
  const master = getLink(outside, name);
  if (master === undefined) return [`there is no master "${name}" ${where}`];
  return [
    ...downDifferences([master]),
    ...differs(macvlan !== undefined && !isIts(master), `"${macvlan?.name}" is not on "${name}" ${where}`),
  ];
}

function downDifferences(masters: readonly [Link, ...Link[]]): string[] {
  return differs(!masters.some(({ up }) => up), `master "${masters[0].name}" is down`);
}

/** The kernel puts one that is made on a macvlan on the link which that one is on, wherever it is. */
function carries(master: Link, macvlan: Link, isInContainer: boolean): boolean {
  const isStacked = master.kind === 'macvlan' || master.kind === 'macvtap';
  const [index, netnsid] = isStacked ? [master.link, master.linkNetnsid] : [master.index, undefined];
  if (macvlan.link !== index || !isInContainer) return macvlan.link === index;
  // Each namespace has numbers of its own for the others.
  return macvlan.linkNetnsid === netnsid && master.index !== macvlan.index;
}
