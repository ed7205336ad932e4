import { integerOf } from '../../src/cni/json.ts';
import { requiredPrevResult } from '../../src/cni/prev-result.ts';
import type { Result } from '../../src/cni/result.ts';
import { ipamDifferences } from '../../src/ipam/ipam-differences.ts';
import { getLink, type Link } from '../../src/kernel/netlink/link.ts';
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
  const isMacvlan = link?.kind === 'macvlan';
  const parent = isMacvlan ? link.link : undefined;
  const wanted = name ?? parent;
  if (wanted === undefined) return [];
  const master = getLink(outside, wanted);
  if (master === undefined) return [`there is no master ${JSON.stringify(wanted)} ${where}`];
  return [
    ...differs(!master.up, `master "${master.name}" is down`),
    ...differs(
      isMacvlan && (parent !== master.index || (linkInContainer && link.linkNetnsid !== undefined)),
      `"${link?.name}" is not on "${master.name}" ${where}`,
    ),
  ];
}
