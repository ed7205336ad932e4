import { contains, parseIp, sameIp } from '../../src/cni/address.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import { listAddresses } from '../../src/kernel/netlink/address.ts';
import { getLink, type Link } from '../../src/kernel/netlink/link.ts';
import type { NetlinkSocket } from '../../src/kernel/netlink/socket.ts';

/** Every network namespace has it, under this name, from its first moment on. */
export function loopbackOf(socket: NetlinkSocket): Link {
  const link = getLink(socket, 'lo');
  if (link !== undefined) return link;
  throw new CniError(ErrorCode.internal, 'there is no loopback interface "lo": somebody has renamed it');
}

/** Its addresses with their networks, in the kernel's order: those of IPv4 first. */
export function addressesOf(socket: NetlinkSocket, { index }: Link): string[] {
  return listAddresses(socket, index).map(({ address, prefixLength }) => `${address}/${prefixLength}`);
}

/** As the reference does: `lo` with an address of the network is not what this plugin was called for. */
export function refuseStrangeAddresses(socket: NetlinkSocket, { index }: Link): void {
  const strange = listAddresses(socket, index).find(({ address }) => !isLoopback(address));
  if (strange === undefined) return;
  throw new CniError(
    ErrorCode.internal,
    `loopback interface found with non-loopback address "${strange.address}"`,
    { details: `to remove it: ip addr del ${strange.address}/${strange.prefixLength} dev lo` },
  );
}

function isLoopback(address: string): boolean {
  const ip = parseIp(address);
  if (ip === undefined) return false;
  return contains(LOOPBACK, ip) || sameIp(ip, LOOPBACK_6);
}

const LOOPBACK = { ip: Uint8Array.of(127, 0, 0, 0), prefixLength: 8 };
const LOOPBACK_6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
