import { MalformedMessageError } from '../netlink/message.ts';

/** What a table sees: `inet` is IPv4 and IPv6. NFPROTO_*, include/uapi/linux/netfilter.h. */
export type Family = 'inet' | 'ip' | 'arp' | 'netdev' | 'bridge' | 'ip6';

export const familyNumber = (family: Family): number => NUMBERS[family];

/** Throws MalformedMessageError for a number that nftables does not use. */
export function familyOf(number: number): Family {
  const found = (Object.keys(NUMBERS) as Family[]).find((family) => NUMBERS[family] === number);
  if (found === undefined) throw new MalformedMessageError(`family ${number} of nftables`);
  return found;
}

/** nfgen_family for all families at once. */
export const NFPROTO_UNSPEC = 0;

const NUMBERS: Record<Family, number> = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 };
