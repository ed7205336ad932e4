import { writeSysctlIfThere } from './sysctl-if-there.ts';

/** Lets the node pass packets on between its interfaces; stays so, because others may have come to need it. */
export function enableForwarding(family: 4 | 6): void {
  writeSysctlIfThere(family === 4 ? 'net/ipv4/ip_forward' : 'net/ipv6/conf/all/forwarding', '1');
}
