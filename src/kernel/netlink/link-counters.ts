/**
 * Overwrites with zeros, in payloads of RTM_NEWLINK from one kernel, what changes with every packet and every second:
 * the counters of the link, and the timers of a bridge and of its port. Two payloads that are equal then are of a
 * link that nobody changed. The places are looked for, not walked to: a link has forty attributes, and a node
 * hundreds of links.
 */
export function blankCounters(payloads: readonly Buffer[]): void {
  const [first] = payloads;
  if (first === undefined) return;
  // The structs have grown with time, and are the same for all links.
  const counters = COUNTERS.filter(({ header }) => first.includes(header));
  for (const payload of payloads) {
    for (const place of counters) blank(payload, place);
    if (payload.includes(BRIDGE)) for (const place of OF_BRIDGES) blank(payload, place);
  }
}

interface Place {
  /** struct nlattr, include/uapi/linux/netlink.h */
  readonly header: Buffer;
  /** Of the whole attribute. */
  readonly length: number;
}

function blank(payload: Buffer, { header, length }: Place): void {
  for (let at = payload.indexOf(header); at >= 0; at = payload.indexOf(header, at + header.length)) {
    // An attribute begins at a multiple of four; anything else is a value that looks like one.
    if (at % 4 === 0 && at + length <= payload.length) payload.fill(0, at + header.length, at + length);
  }
}

function place(type: number, length: number): Place {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(length, 0);
  header.writeUInt16LE(type, 2);
  return { header, length };
}

const BRIDGE = Buffer.from('bridge\0');

/**
 * include/uapi/linux/if_link.h: IFLA_STATS and IFLA_STATS64, struct rtnl_link_stats and rtnl_link_stats64 as they
 * have been
 */
const COUNTERS: readonly Place[] = [
  ...[92, 96, 100].map((length) => place(7, length)),
  ...[188, 196, 204].map((length) => place(23, length)),
];

const OF_BRIDGES: readonly Place[] = [
  // IFLA_BR_HELLO_TIMER, _TCN_TIMER, _TOPOLOGY_CHANGE_TIMER and _GC_TIMER; IFLA_BRPORT_MESSAGE_AGE_TIMER to _HOLD_TIMER
  ...[16, 17, 18, 19, 21, 22, 23].map((type) => place(type, 12)),
  // IFLA_BR_FDB_N_LEARNED and IFLA_BRPORT_MCAST_N_GROUPS
  ...[48, 41].map((type) => place(type, 8)),
];
