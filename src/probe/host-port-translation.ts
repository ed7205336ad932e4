import { openInetSocket } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import type { Namespace } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';
import { sourceTowards, tcpAttempt } from '../path/attempt.ts';
import { type Flow, newCookie } from '../path/flow.ts';
import { watchPackets } from '../path/packet-watch.ts';
import { freePort } from './free-port.ts';
import type { ProbeRun } from './probe-run.ts';

/** Where a packet is sent on to. */
export interface Translation {
  readonly target: string;
  readonly targetPort: number;
}

/**
 * What the first hook of the node makes of the target of a packet from a namespace: prerouting of what a container sends, output of
 * what the node sends itself. A datagram is contained; a connection that comes to be is closed at once. Undefined when nothing
 * was seen.
 */
export function translationOf(
  run: ProbeRun,
  from: Namespace | undefined,
  protocol: 'tcp' | 'udp',
  to: Endpoint,
): Translation | undefined {
  try {
    const source = sourceTowards(from, to);
    return protocol === 'tcp' ? ofTcp(run, from, source, to) : ofUdp(run, from, source, to);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** For what is only to be seen. */
const WAIT_MS = 200;

function ofTcp(
  run: ProbeRun,
  from: Namespace | undefined,
  source: Uint8Array,
  to: Endpoint,
): Translation | undefined {
  const own = { ip: source, port: freePort(from, source) };
  const flow: Flow = { protocol: 'tcp', source, target: to.ip, sourcePort: own.port, targetPort: to.port };
  using watch = watchPackets(run.node, flow);
  tcpAttempt(from, own, to)(run.timeFor(WAIT_MS) || 1);
  return firstOf(watch.passages(WAIT_MS));
}

function ofUdp(
  run: ProbeRun,
  from: Namespace | undefined,
  source: Uint8Array,
  to: Endpoint,
): Translation | undefined {
  using socket = openInetSocket('udp', to.ip.length === 4 ? 4 : 6, from);
  socket.bind({ ip: source, port: 0 });
  const cookie = newCookie();
  const sourcePort = socket.local().port;
  const flow: Flow = { protocol: 'udp', source, target: to.ip, sourcePort, targetPort: to.port, cookie };
  using watch = watchPackets(run.node, flow, { containedAtExit: true });
  socket.sendTo(cookie, to);
  return firstOf(watch.passages(WAIT_MS));
}

function firstOf([passage]: ReturnType<ReturnType<typeof watchPackets>['passages']>):
  | Translation
  | undefined {
  const first = passage?.hops.find(
    ({ layer, hook }) => layer === 'ip' && ['prerouting', 'output'].includes(hook),
  );
  const { target, targetPort } = first?.left ?? {};
  return target === undefined || targetPort === undefined ? undefined : { target, targetPort };
}
