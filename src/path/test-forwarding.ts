import { EACCES, EHOSTUNREACH, ENETUNREACH, EPERM } from '../kernel/errno.ts';
import { type InetSocket, openInetSocket } from '../kernel/inet/inet-socket.ts';
import { ETH_P_IP } from '../kernel/inet/link-address.ts';
import { openPacketSocket } from '../kernel/inet/packet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { encodeUdpPacket } from '../kernel/inet/udp-packet.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import type { Link } from '../kernel/netlink/link.ts';
import { macBytes } from '../kernel/netlink/mac-address.ts';
import type { Namespace } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';
import { findStop } from './find-stop.ts';
import { type Flow, newCookie } from './flow.ts';
import { nobody } from './nobody.ts';
import type { PacketHeaders } from './packet-headers.ts';
import { type PacketWatch, watchPackets } from './packet-watch.ts';
import type { Hop, Passage } from './passage.ts';
import { proveStop } from './prove-stop.ts';
import type { Stop } from './stop.ts';
import { uncontainable } from './uncontainable.ts';

/** What became of one datagram that a container sent to nobody. */
export type ForwardingTest =
  | {
      readonly outcome: 'forwarded';
      /** As it would have left the node. */
      readonly packet: PacketHeaders;
      /** Its source is another than the one that the container sent from. */
      readonly isMasqueraded: boolean;
      /** The index of the node's link that it would have left by. */
      readonly oif?: number;
      readonly hops: readonly Hop[];
    }
  | { readonly outcome: 'stopped'; readonly stop: Stop; readonly hops: readonly Hop[] }
  | { readonly outcome: 'not-tested'; readonly reason: string };

/**
 * Sends a datagram of UDP from a container's address to an address that nobody has (unless one is given), and tells what becomes of it on the
 * node: none of it leaves the node, nor comes to a process. Of a rule that drops and counts, a second one shows that the
 * counter moves. At most 300 ms. `node` is undefined for the namespace of this process. Throws WatchError,
 * NetlinkError and SystemError.
 */
export function testForwarding(
  node: Namespace | undefined,
  pod: Namespace,
  source: Uint8Array,
  target = nobody(source.length === 4 ? 4 : 6, [node, pod]),
  gateway?: KnownGateway,
): ForwardingTest {
  using socket = openInetSocket('udp', source.length === 4 ? 4 : 6, pod);
  socket.bind({ ip: source, port: 0 });
  const sourcePort = socket.local().port;
  const cookie = newCookie();
  const flow: Flow = { protocol: 'udp', source, target, sourcePort, targetPort: DISCARD, cookie };
  using watch = watchPackets(node, flow, { containedAtExit: true });
  const reason = uncontainable(node, pod, gateway?.link.index ?? target, watch.seesBridges);
  if (reason !== undefined) return { outcome: 'not-tested', reason };
  const [from, to] = [socket.local(), { ip: target, port: DISCARD }];
  const byKernel = (): Stop | undefined => sendBySocket(socket, cookie, to);
  if (gateway === undefined) return send(watch, node, flow, byKernel);
  using wire = openPacketSocket(pod, gateway.link, ETH_P_IP);
  return send(watch, node, flow, () => {
    wire.send(encodeUdpPacket(from, to, cookie), macBytes(gateway.mac));
    return undefined;
  });
}

/** Where a datagram of IPv4 is put on the wire for a gateway that does not answer ARP: by a link of the container. */
export interface KnownGateway {
  readonly link: Pick<Link, 'index' | 'name'>;
  readonly mac: string;
}

/** RFC 863 */
const DISCARD = 9;
const WAIT_MS = 120;

/** `sendOne` says why the container's own namespace did not even send it. */
function send(
  watch: PacketWatch,
  node: Namespace | undefined,
  flow: Flow,
  sendOne: () => Stop | undefined,
): ForwardingTest {
  const failed = sendOne();
  if (failed !== undefined) return { outcome: 'stopped', stop: failed, hops: [] };
  const [passage] = watch.passages(WAIT_MS);
  const hops = passage?.hops ?? [];
  const stop = findStop(watch, node, passage);
  if (stop === undefined) return forwarded(passage as Passage, flow);
  const again = (): Stop | undefined => {
    sendOne();
    return findStop(watch, node, watch.passages(WAIT_MS, 2).at(1));
  };
  return { outcome: 'stopped', stop: proveStop(stop, flow.source.length === 4 ? 4 : 6, node, again), hops };
}

function sendBySocket(socket: InetSocket, cookie: Buffer, to: Endpoint): Stop | undefined {
  try {
    socket.sendTo(cookie, to);
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const cause = SENDING[error.errno];
    if (cause === undefined) throw error;
    return { cause, text: `the container cannot send it: ${error.message}` };
  }
}

/** EPERM comes from a rule of the container's own, EACCES from a route that prohibits. */
const SENDING: Readonly<Record<number, Stop['cause']>> = {
  [EPERM]: 'unreported',
  [EACCES]: 'refusing-route',
  [ENETUNREACH]: 'no-route',
  [EHOSTUNREACH]: 'refusing-route',
};

function forwarded({ hops }: Passage, { source }: Flow): ForwardingTest {
  const last = hops.findLast(({ layer, hook, left }) => layer === 'ip' && hook === 'postrouting' && left);
  const exit = last ?? hops.findLast(({ left }) => left !== undefined);
  const packet = exit?.left as PacketHeaders;
  const isMasqueraded = packet.source !== ipText(source);
  return {
    outcome: 'forwarded',
    packet,
    isMasqueraded,
    ...(exit?.oif === undefined ? {} : { oif: exit.oif }),
    hops,
  };
}
