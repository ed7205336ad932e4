import { closeSync } from 'node:fs';
import { EAGAIN, EINTR } from '../errno.ts';
import { bind, connect, getsockname, recvfrom, send, sendto, setsockopt, socket } from '../libc.ts';
import { addressFamily, ipText } from '../netlink/ip-address.ts';
import { type Namespace, runIn } from '../netns.ts';
import { SystemError } from '../system-error.ts';
import {
  decodeSocketAddress,
  type Endpoint,
  emptySocketAddress,
  encodeSocketAddress,
} from './socket-address.ts';

export type InetProtocol = 'udp' | 'tcp' | 'icmp';

/** What was received, and from where. */
export interface Received {
  readonly data: Buffer;
  readonly from: Endpoint;
}

/**
 * Opens a socket of IPv4 or IPv6 in a namespace, or in our own; it stays there, wherever the thread goes next. `icmp` is a raw
 * socket of ICMP, or ICMPv6, which hears all of that. Its methods throw SystemError, whose object is the address.
 */
export function openInetSocket(protocol: InetProtocol, family: 4 | 6, namespace?: Namespace): InetSocket {
  const open = (): InetSocket => new InetSocket(protocol, family);
  return namespace === undefined ? open() : runIn(namespace, open);
}

/** Every wait is bounded by the one who asks for it. For `using`. */
export class InetSocket {
  readonly fd: number;
  #isOpen = true;

  constructor(
    protocol: InetProtocol,
    readonly family: 4 | 6,
  ) {
    const type = { udp: SOCK_DGRAM, tcp: SOCK_STREAM, icmp: SOCK_RAW }[protocol];
    const icmp = family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    const domain = addressFamily(new Uint8Array(family === 4 ? 4 : 16));
    const opened = socket(domain, type | SOCK_CLOEXEC, protocol === 'icmp' ? icmp : 0);
    if (opened < 0) throw new SystemError('socket', -opened, `${protocol} of IPv${family}`);
    this.fd = opened;
  }

  /** Takes an address, or a port, or both. */
  bind(endpoint: Endpoint): void {
    this.#check('bind', bind(this.fd, encodeSocketAddress(endpoint)), endpoint);
  }

  /** The address and port that it has. */
  local(): Endpoint {
    const address = emptySocketAddress();
    this.#check('getsockname', getsockname(this.fd, address));
    return decodeSocketAddress(address);
  }

  /** Of UDP it only says where `send` goes, and whose errors come back; of TCP it waits. ETIMEDOUT after so many ms. */
  connect(endpoint: Endpoint, atMostMs = 1000): void {
    this.#setTimeout(SO_SNDTIMEO, atMostMs);
    this.#check('connect', connect(this.fd, encodeSocketAddress(endpoint)), endpoint);
  }

  /** To where it is connected. */
  send(data: Buffer): void {
    this.#check('send', send(this.fd, data, MSG_NOSIGNAL));
  }

  sendTo(data: Buffer, endpoint: Endpoint): void {
    this.#check('sendto', sendto(this.fd, data, MSG_NOSIGNAL, encodeSocketAddress(endpoint)), endpoint);
  }

  /** Undefined when nothing has come for so many ms. An error that came back to it is thrown: ECONNREFUSED, EHOSTUNREACH. */
  receive(atMostMs: number): Received | undefined {
    this.#setTimeout(SO_RCVTIMEO, atMostMs);
    const room = Buffer.allocUnsafe(LONGEST);
    const from = emptySocketAddress();
    const length = recvfrom(this.fd, room, 0, from);
    if (length === -EAGAIN || length === -EINTR) return undefined;
    this.#check('recvfrom', length);
    return { data: Buffer.from(room.subarray(0, length)), from: decodeSocketAddress(from) };
  }

  /** Of TCP: what has come, and nothing at its end. Undefined when nothing has come for so many ms. */
  read(atMostMs: number): Buffer | undefined {
    this.#setTimeout(SO_RCVTIMEO, atMostMs);
    const room = Buffer.allocUnsafe(LONGEST);
    // A stream leaves the address as it is.
    const length = recvfrom(this.fd, room, 0, emptySocketAddress());
    if (length === -EAGAIN || length === -EINTR) return undefined;
    this.#check('recvfrom', length);
    return Buffer.from(room.subarray(0, length));
  }

  /** setsockopt(2) with an int. */
  setOption(level: number, option: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    this.#check('setsockopt', setsockopt(this.fd, level, option, bytes));
  }

  /** May be called twice. */
  close(): void {
    if (this.#isOpen) closeSync(this.fd);
    this.#isOpen = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** In struct timeval no time at all would mean to wait for ever. */
  #setTimeout(option: number, ms: number): void {
    const timeval = Buffer.alloc(16);
    const us = Math.max(1, Math.round(ms * 1000));
    timeval.writeUInt32LE(Math.floor(us / 1_000_000), 0);
    timeval.writeUInt32LE(us % 1_000_000, 8);
    this.#check('setsockopt', setsockopt(this.fd, SOL_SOCKET, option, timeval));
  }

  #check(call: string, answer: number, endpoint?: Endpoint): void {
    if (answer < 0) throw new SystemError(call, -answer, endpoint && endpointText(endpoint));
  }
}

/** `10.22.0.5:80`, `[fd00::5]:80`; without a port only the address. */
export function endpointText({ ip, port }: Endpoint): string {
  const text = ipText(ip);
  if (port === 0) return text;
  return ip.length === 4 ? `${text}:${port}` : `[${text}]:${port}`;
}

/** Of one datagram. */
const LONGEST = 65_535;

/** include/linux/socket.h, include/uapi/asm-generic/socket.h and include/uapi/linux/in.h and in6.h */
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const MSG_NOSIGNAL = 0x4000;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
