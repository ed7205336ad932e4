import { ETIMEDOUT } from '../errno.ts';
import { type Namespace, runIn } from '../netns.ts';
import { type Address, decodeAddress } from './address.ts';
import { type BridgePort, decodeBridgePort } from './bridge-port.ts';
import { type Channel, openChannel } from './channel.ts';
import { decodeLink, type Link } from './link.ts';
import { AF_BRIDGE, decodeLinkHeader, RTM_DELLINK, RTM_NEWLINK } from './link-message.ts';
import { decodeMessages, type NetlinkMessage } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import { decodeRoute, type Route } from './route.ts';
import type { Step } from './socket.ts';

/**
 * What the kernel announces: an object as it is now, or as it was last when `deleted`. A link that is a port no longer
 * is announced as a link without a master.
 */
export type Announcement =
  | { kind: 'link'; deleted: boolean; link: Link }
  | { kind: 'bridge-port'; port: BridgePort }
  | { kind: 'address'; deleted: boolean; address: Address }
  | { kind: 'route'; deleted: boolean; route: Route };

export type AnnouncementGroup = keyof typeof GROUPS;

/**
 * Listens to a namespace, or to our own. Open it before the change that is waited for: what was announced before is
 * not heard. `link` brings links and bridge ports. Throws SystemError.
 */
export function openMonitor(
  groups: readonly AnnouncementGroup[],
  namespace?: Namespace,
  step?: Step,
): NetlinkMonitor {
  const numbers = groups.flatMap((group) => GROUPS[group]);
  const open = (): Channel => openChannel(NETLINK_ROUTE, numbers);
  return new NetlinkMonitor(namespace === undefined ? open() : runIn(namespace, open), step);
}

/** What a wait is for, and how one knows that it has come. */
export interface Awaited<T> {
  /** In words, for errors and steps: `wait for port "veth1a2b" to forward`. */
  operation: string;
  timeoutMs: number;
  /** Reads the state: at first, for it may be so already, and whenever announcements were lost. */
  look: () => T | undefined;
  /** Whether this is what was waited for. What it throws ends the wait. */
  take: (announcement: Announcement) => T | undefined;
}

export class NetlinkMonitor {
  readonly #channel: Channel;
  readonly #step: Step;
  #isOpen = true;

  constructor(channel: Channel, step: Step = (_, operation) => operation()) {
    this.#channel = channel;
    this.#step = step;
  }

  /**
   * Waits until `look` or `take` answers something, and answers that. Throws NetlinkError (ETIMEDOUT at the
   * deadline), what the two throw, SystemError and MalformedMessageError.
   */
  waitFor<T>({ operation, timeoutMs, look, take }: Awaited<T>): T {
    return this.#step(operation, () => {
      const deadline = performance.now() + timeoutMs;
      let found = look();
      for (;;) {
        if (found !== undefined) return found;
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) throw new NetlinkError(operation, ETIMEDOUT, `not in ${timeoutMs} ms`);
        const datagram = this.#channel.receive(leftMs);
        if (datagram === 'overrun') found = look();
        else if (datagram !== undefined) found = firstOf(datagram, take);
      }
    });
  }

  /** May be called twice. */
  close(): void {
    if (this.#isOpen) this.#channel.close();
    this.#isOpen = false;
  }
}

function firstOf<T>(datagram: Buffer, take: (announcement: Announcement) => T | undefined): T | undefined {
  for (const message of decodeMessages(datagram)) {
    const announcement = decodeAnnouncement(message);
    const found = announcement === undefined ? undefined : take(announcement);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Undefined for what nobody here asks for. Throws MalformedMessageError. */
export function decodeAnnouncement({ type, payload }: NetlinkMessage): Announcement | undefined {
  if (type === RTM_NEWLINK || type === RTM_DELLINK) {
    const deleted = type === RTM_DELLINK;
    if (decodeLinkHeader(payload).family !== AF_BRIDGE) {
      return { kind: 'link', deleted, link: decodeLink(payload) };
    }
    const port = decodeBridgePort(payload);
    return port && { kind: 'bridge-port', port };
  }
  if (type === RTM_NEWADDR || type === RTM_DELADDR) {
    const address = decodeAddress(payload);
    return address && { kind: 'address', deleted: type === RTM_DELADDR, address };
  }
  if (type === RTM_NEWROUTE || type === RTM_DELROUTE) {
    const route = decodeRoute(payload);
    return route && { kind: 'route', deleted: type === RTM_DELROUTE, route };
  }
  return undefined;
}

/** include/uapi/linux/netlink.h and rtnetlink.h: enum rtnetlink_groups */
const NETLINK_ROUTE = 0;
const GROUPS = { link: [1], 'ipv4-address': [5], 'ipv6-address': [9], 'ipv4-route': [7], 'ipv6-route': [11] };
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
