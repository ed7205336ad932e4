import type { JsonObject } from '../../src/cni/json.ts';
import type { Invocation, Plugin } from '../../src/cni/plugin.ts';
import { readPrevResult } from '../../src/cni/prev-result.ts';
import type { Result } from '../../src/cni/result.ts';
import { changeLink } from '../../src/kernel/netlink/link-change.ts';
import { type NetlinkSocket, openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import type { Namespace } from '../../src/kernel/netns.ts';
import { openContainer, openRemainingContainer } from '../../src/network/container-namespace.ts';
import { refuseDifferences } from '../../src/trace/differences.ts';
import type { Surroundings } from '../built-in.ts';
import { addressesOf, loopbackOf, refuseStrangeAddresses } from './interface.ts';
import { resultOf } from './result.ts';

/**
 * Sets up the loopback interface of a container: always `lo`, whatever CNI_IFNAME is. It starts nothing and keeps
 * nothing, so that it needs neither CNI_PATH nor the network's name, and there is nothing for STATUS and GC to do.
 */
export function loopbackPlugin({ step }: Surroundings): Plugin {
  return {
    needless: ['name', 'CNI_PATH'],
    add: (invocation) => inside(openContainer(invocation), step, (socket) => add(invocation, socket)),
    check: (invocation) => inside(openContainer(invocation), step, (socket) => check(invocation, socket)),
    del: (invocation) => {
      const container = openRemainingContainer(invocation);
      // One that is gone has no interface to do anything to.
      if (container !== undefined) inside(container, step, del);
    },
  };
}

/** Answers prevResult where there is one: of another interface, mostly, that the plugin before has made. */
function add({ configuration, netns }: Invocation, socket: NetlinkSocket): JsonObject {
  const prevResult = readPrevResult(configuration);
  const lo = loopbackOf(socket);
  refuseStrangeAddresses(socket, lo);
  // The kernel gives it its addresses as it goes up; without IPv6, or where that is switched off, only one of IPv4.
  if (!lo.up) changeLink(socket, lo, { up: true });
  return prevResult?.document ?? resultOf(netns, addressesOf(socket, lo));
}

function check({ configuration, netns }: Invocation, socket: NetlinkSocket): void {
  const prevResult = readPrevResult(configuration);
  const lo = loopbackOf(socket);
  const present = addressesOf(socket, lo);
  const lost = addressesIn(prevResult?.latest).filter((address) => !present.includes(address));
  refuseDifferences(
    [
      ...(lo.up ? [] : [`loopback interface is down: "lo" in ${netns}`]),
      ...lost.map((address) => `"lo" in ${netns} does not have ${address}`),
    ],
    'namespace',
  );
}

function del(socket: NetlinkSocket): void {
  const lo = loopbackOf(socket);
  if (lo.up) changeLink(socket, lo, { up: false });
}

/** The addresses of a result that are said to be those of a container's `lo`. */
function addressesIn({ interfaces = [], ips = [] }: Result = {}): string[] {
  return ips
    .filter(({ interface: position }) => {
      const owner = position === undefined ? undefined : interfaces[position];
      return owner?.name === 'lo' && Boolean(owner.sandbox);
    })
    .map(({ address }) => address);
}

/** Closes the container's namespace afterwards. */
function inside<T>(
  container: Namespace,
  step: Surroundings['step'],
  operate: (socket: NetlinkSocket) => T,
): T {
  try {
    const socket = openRouteSocket(container, step);
    try {
      return operate(socket);
    } finally {
      socket.close();
    }
  } finally {
    container.close();
  }
}
