import { flushConntrack, openConntrack } from '../../src/kernel/netlink/conntrack.ts';
import { NetlinkError } from '../../src/kernel/netlink/netlink-error.ts';
import type { HostPort } from '../../src/network/publication.ts';
import type { Surroundings } from '../built-in.ts';

/**
 * Forgets what was sent to these ports by UDP, where the first packet decides for all that come from the same port later:
 * with no end of the connection, they would go on to where the port led before. Does not fail: it is only said.
 */
export function flushConnections(
  ports: readonly Pick<HostPort, 'protocol' | 'hostIP' | 'hostPort'>[],
  { step, warn }: Surroundings,
): void {
  const ofUdp = ports.filter(({ protocol }) => protocol === 'udp');
  if (ofUdp.length === 0) return;
  const socket = openConntrack(undefined, step);
  try {
    for (const { hostIP, hostPort } of ofUdp) {
      const destination = hostIP?.some((byte) => byte !== 0) ? { destination: hostIP } : {};
      flushConntrack(socket, { protocol: IPPROTO_UDP, destinationPort: hostPort, ...destination });
    }
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    const message = `old UDP connections to the host ports may go where they went before: ${error.message}`;
    warn('stale-connections', 'conntrack', message);
  } finally {
    socket.close();
  }
}

/** include/uapi/linux/in.h */
const IPPROTO_UDP = 17;
