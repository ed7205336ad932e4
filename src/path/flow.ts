import type { Expression } from '../kernel/nftables/expression.ts';
import { loadAddress } from '../kernel/nftables/match.ts';

/** The packets of one test, and nobody else's. */
export interface Flow {
  readonly protocol: Protocol;
  readonly source: Uint8Array;
  /** Absent for what answers: NAT may have given the one who asked another address. */
  readonly target?: Uint8Array;
  /** Absent in ICMP. */
  readonly sourcePort?: number;
  readonly targetPort?: number;
  /** What a datagram of UDP, or an echo of ICMP, begins with: COOKIE_BYTES that no NAT changes. */
  readonly cookie?: Uint8Array;
}

export type Protocol = 'udp' | 'tcp' | 'icmp';

/** As many as a trace shows of a packet behind eight bytes of header. */
export const COOKIE_BYTES = 12;

/** A cookie that nobody else has. */
export const newCookie = (): Buffer => Buffer.from(crypto.getRandomValues(new Uint8Array(COOKIE_BYTES)));

/** Tests whether a packet is of the flow, before any NAT; in tables of IP and of bridges alike. */
export function flowIs(flow: Flow): Expression[] {
  const { source, target, sourcePort, targetPort } = flow;
  return [
    ...protocolIs(flow),
    loadAddress('saddr', source.length, source.length),
    isEqual(source),
    ...(target === undefined ? [] : [loadAddress('daddr', target.length, target.length), isEqual(target)]),
    ...portIs(0, sourcePort),
    ...portIs(2, targetPort),
    ...cookieIs(flow),
  ];
}

/** The same behind all NAT, which is why it needs a cookie; no test at all without. */
export function carriesCookie(flow: Flow): Expression[] | undefined {
  return flow.cookie === undefined ? undefined : [...protocolIs(flow), ...cookieIs(flow)];
}

/** The number of the protocol in the header of IP: IPPROTO_*. */
export function protocolNumber(protocol: Protocol, family: 4 | 6): number {
  if (protocol === 'icmp') return family === 4 ? 1 : 58;
  return protocol === 'udp' ? 17 : 6;
}

/** `meta protocol`, for in bridges `meta nfproto` is the bridge's. */
function protocolIs({ protocol, source }: Flow): Expression[] {
  const family = source.length === 4 ? 4 : 6;
  const etherType = Buffer.alloc(2);
  etherType.writeUInt16BE(family === 4 ? ETH_P_IP : ETH_P_IPV6);
  return [
    { name: 'meta', key: 'protocol', register: 1 },
    isEqual(etherType),
    { name: 'meta', key: 'l4proto', register: 1 },
    isEqual(Buffer.from([protocolNumber(protocol, family)])),
  ];
}

function portIs(offset: number, port: number | undefined): Expression[] {
  if (port === undefined) return [];
  const value = Buffer.alloc(2);
  value.writeUInt16BE(port);
  return [{ name: 'payload', base: 'transport', offset, length: 2, register: 1 }, isEqual(value)];
}

/** The headers of UDP and of an echo have eight bytes. */
function cookieIs({ cookie }: Flow): Expression[] {
  if (cookie === undefined) return [];
  if (cookie.length !== COOKIE_BYTES) throw new RangeError(`cookie of ${cookie.length} bytes`);
  const { length } = cookie;
  return [{ name: 'payload', base: 'transport', offset: 8, length, register: 1 }, isEqual(cookie)];
}

const isEqual = (value: Uint8Array): Expression => ({ name: 'cmp', op: 'eq', register: 1, value });

/** include/uapi/linux/if_ether.h */
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
