import type { Link } from '../kernel/netlink/link.ts';
import { PORT_FORWARDING } from '../kernel/netlink/port-state.ts';
import type { ProbeRun } from './probe-run.ts';

/** `"br0" (up, mtu 1500)` of a link of the node; of a port, whose it is. */
export function linkFacts({ outside }: ProbeRun, { name, up, running, mtu, master, port }: Link): string {
  const owner = outside.links.find(({ index }) => index === master);
  const facts = [
    up ? (running ? 'up' : 'up, no carrier') : 'down',
    `mtu ${mtu}`,
    ...(owner === undefined ? [] : [`port of "${owner.name}"`]),
    ...(port === undefined || port.state === PORT_FORWARDING
      ? []
      : [`does not forward (state ${port.state})`]),
  ];
  return `"${name}" (${facts.join(', ')})`;
}
