import { openInetSocket } from '../kernel/inet/inet-socket.ts';
import type { Namespace } from '../kernel/netns.ts';

/** A port of TCP that nobody has in a namespace, for a connection that is to be told from all others. Throws SystemError. */
export function freePort(namespace: Namespace | undefined, ip: Uint8Array): number {
  using socket = openInetSocket('tcp', ip.length === 4 ? 4 : 6, namespace);
  socket.bind({ ip, port: 0 });
  return socket.local().port;
}
