import type { Sysctls } from './sysctls.ts';

/** Lets the node pass packets on between its interfaces; stays so, because others may have come to need it. */
export function enableForwarding(sysctls: Sysctls, family: 4 | 6): void {
  sysctls.require(family === 4 ? 'net/ipv4/ip_forward' : 'net/ipv6/conf/all/forwarding', '1');
}
