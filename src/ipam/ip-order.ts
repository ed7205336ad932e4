import { type Cidr, type Ip, networkOf } from '../cni/address.ts';

/** Below zero when `one` comes before `other`. */
export function compareIps(one: Ip, other: Ip): number {
  return Buffer.compare(one, other);
}

/** The address after this one; after the last of all comes the first. */
export function nextIp(ip: Ip): Ip {
  const next = ip.slice();
  for (let index = next.length - 1; index >= 0; index -= 1) {
    next[index] = (next[index] as number) + 1;
    if (next[index] !== 0) break;
  }
  return next;
}

/** The last address that is handed out of a subnet: an IPv4 subnet ends with its broadcast address. */
export function lastIpOf({ ip, prefixLength }: Cidr): Ip {
  const { ip: ones } = networkOf({ ip: new Uint8Array(ip.length).fill(0xff), prefixLength });
  const last = ip.map((byte, index) => byte | (0xff ^ (ones[index] as number)));
  if (last.length === 4) last[3] = (last[3] as number) - 1;
  return last;
}
