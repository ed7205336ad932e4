import { closeSync } from 'node:fs';
import { EAGAIN } from '../../../src/kernel/errno.ts';
import { bind, recvfrom, send, setsockopt, socket } from '../../../src/kernel/libc.ts';
import { commandIn, inside } from '../namespace-command.ts';

// SCTP by hand, on packet sockets: many kernels translate it but have no sockets of it.

/** The first packet of an association, with right checksums, out of `link` of a namespace to a neighbour. */
export function sendInit(netns: string, link: string, packet: Init): void {
  const fd = inside(netns, () => packetSocket(netns, link));
  try {
    const sent = send(fd, Buffer.concat([ethernet(netns, link, packet.to), initPacket(packet)]), 0);
    if (sent < 0) throw new Error(`send: error ${-sent}`);
  } finally {
    closeSync(fd);
  }
}

export interface Init {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
}

/** Hears SCTP over IPv4 on a link of a namespace, from now on. For `using`. */
export class SctpEar {
  readonly #fd: number;

  constructor(netns: string, link: string) {
    this.#fd = inside(netns, () => packetSocket(netns, link));
  }

  /** The first packet of SCTP that comes; undefined when none does. */
  async hear(waitMs: number): Promise<Init | undefined> {
    const frame = Buffer.alloc(2048);
    for (const until = performance.now() + waitMs; performance.now() < until; ) {
      const length = recvfrom(this.#fd, frame, MSG_DONTWAIT, Buffer.alloc(20));
      if (length === -EAGAIN) await Bun.sleep(5);
      else if (length < 0) throw new Error(`recvfrom: error ${-length}`);
      else if (frame.readUInt16BE(12) === ETH_P_IP && frame[23] === IPPROTO_SCTP) return decode(frame);
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** include/linux/socket.h, include/uapi/linux/if_ether.h, include/uapi/linux/in.h */
const AF_PACKET = 17;
const SOCK_RAW = 3;
const MSG_DONTWAIT = 0x40;
const ETH_P_IP = 0x0800;
const IPPROTO_SCTP = 132;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;

/** Opened in the namespace that this thread is in. */
function packetSocket(netns: string, link: string): number {
  const [{ ifindex }] = JSON.parse(commandIn(netns, 'ip', '-j', 'link', 'show', link));
  // In network order, as the kernel compares it.
  const fd = socket(AF_PACKET, SOCK_RAW, 0x0008);
  if (fd < 0) throw new Error(`socket: error ${-fd}`);
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, Buffer.from([1, 0, 0, 0]));
  // struct sockaddr_ll
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_IP, 2);
  address.writeInt32LE(ifindex, 4);
  const bound = bind(fd, address);
  if (bound < 0) throw new Error(`bind: error ${-bound}`);
  return fd;
}

function ethernet(netns: string, link: string, to: string): Buffer {
  const [{ address: source }] = JSON.parse(commandIn(netns, 'ip', '-j', 'link', 'show', link));
  commandIn(netns, 'ping', '-n', '-c1', '-W20', to);
  const [{ lladdr }] = JSON.parse(commandIn(netns, 'ip', '-j', 'neigh', 'show', to));
  const bytes = (mac: string): number[] => mac.split(':').map((byte) => Number.parseInt(byte, 16));
  return Buffer.from([...bytes(lladdr), ...bytes(source), 0x08, 0x00]);
}

/** RFC 9260, 3.1 and 3.3.2: the common header and an INIT chunk. */
function initPacket({ from, to, fromPort, toPort }: Init): Buffer {
  const sctp = Buffer.alloc(32);
  sctp.writeUInt16BE(fromPort, 0);
  sctp.writeUInt16BE(toPort, 2);
  sctp.writeUInt8(1, 12);
  sctp.writeUInt16BE(20, 14);
  sctp.writeUInt32BE(0x01020304, 16);
  sctp.writeUInt32BE(65_536, 20);
  sctp.writeUInt16BE(1, 24);
  sctp.writeUInt16BE(1, 26);
  sctp.writeUInt32BE(1, 28);
  sctp.writeUInt32LE(crc32c(sctp), 8);
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(ip.length + sctp.length, 2);
  ip.writeUInt8(64, 8);
  ip.writeUInt8(IPPROTO_SCTP, 9);
  Buffer.from(from.split('.').map(Number)).copy(ip, 12);
  Buffer.from(to.split('.').map(Number)).copy(ip, 16);
  ip.writeUInt16BE(internetChecksum(ip), 10);
  return Buffer.concat([ip, sctp]);
}

function decode(frame: Buffer): Init {
  const address = (at: number): string => [...frame.subarray(at, at + 4)].join('.');
  const sctp = 14 + ((frame[14] ?? 0) & 15) * 4;
  return {
    ...{ from: address(26), to: address(30) },
    ...{ fromPort: frame.readUInt16BE(sctp), toPort: frame.readUInt16BE(sctp + 2) },
  };
}

/** RFC 1071 */
function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

/** RFC 9260, appendix A */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
