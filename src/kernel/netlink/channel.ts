import { closeSync } from 'node:fs';
import { EAGAIN, EINTR, EMSGSIZE, ENOBUFS } from '../errno.ts';
import { bind, getsockname, getsockopt, recvfrom, send, setsockopt, socket } from '../libc.ts';
import { SystemError } from '../system-error.ts';

/** Datagrams to the kernel and back, before anything is known of what is in them. */
export interface Channel {
  /** Our address: nl_pid of struct sockaddr_nl, which answers to us carry. */
  readonly portId: number;
  send(message: Buffer): void;
  /**
   * `overrun` when the kernel threw answers away; undefined when there was none for a while, so ask again. It waits
   * for `atMostMs` at most, more than 0, and never longer than RECEIVE_TIMEOUT_MS.
   */
  receive(atMostMs?: number): Buffer | 'overrun' | undefined;
  close(): void;
}

/**
 * Opens a netlink socket in the namespace that this thread is in; what is announced to `groups` comes to it, and waits
 * in `announcementBytes` of room. Throws SystemError, as its functions do.
 */
export function openChannel(
  protocol: number,
  groups: readonly number[] = [],
  announcementBytes = ANNOUNCEMENT_BYTES,
): Channel {
  const fd = check('socket', socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  try {
    setOptions(fd);
    const portId = bindAnywhere(fd);
    for (const group of groups) join(fd, group, announcementBytes);
    let timeoutMs = RECEIVE_TIMEOUT_MS;
    return {
      portId,
      send: (message) => sendAll(fd, message),
      receive(atMostMs = RECEIVE_TIMEOUT_MS) {
        const wanted = Math.min(atMostMs, RECEIVE_TIMEOUT_MS);
        if (wanted !== timeoutMs) setReceiveTimeout(fd, wanted);
        timeoutMs = wanted;
        return receive(fd);
      },
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** include/linux/socket.h and include/uapi/asm-generic/socket.h */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVTIMEO = 20;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const MSG_PEEK = 0x2;
const MSG_TRUNC = 0x20;

/** include/uapi/linux/netlink.h */
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

/** struct sockaddr_nl: family and padding of two bytes each, port ID, groups. */
const SIZEOF_SOCKADDR = 12;
const NL_PID = 4;

/** How long one receive() waits, less than a second: the one who asks counts the whole wait. */
const RECEIVE_TIMEOUT_MS = 250;
const TV_USEC = 8;
const ANNOUNCEMENT_BYTES = 1 << 20;

function setOptions(fd: number): void {
  setReceiveTimeout(fd, RECEIVE_TIMEOUT_MS);
  const on = int(1);
  // Kernels before 4.20 lack the last of these; they answer all the same, with less explanation.
  for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
    setsockopt(fd, SOL_NETLINK, option, on);
  }
}

/** In struct timeval no time at all would mean to wait for ever. */
function setReceiveTimeout(fd: number, ms: number): void {
  const timeval = Buffer.alloc(16);
  timeval.writeUInt32LE(Math.max(1, Math.round(ms * 1000)), TV_USEC);
  check('setsockopt', setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval));
}

function join(fd: number, group: number, announcementBytes: number): void {
  // More room than net.core.rmem_default has: a burst of announcements is lost otherwise. Root alone may.
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int(announcementBytes));
  check('setsockopt', setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, int(group)));
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** Lets the kernel choose the port ID, and answers it. */
function bindAnywhere(fd: number): number {
  const address = Buffer.alloc(SIZEOF_SOCKADDR);
  address.writeUInt16LE(AF_NETLINK);
  check('bind', bind(fd, address));
  check('getsockname', getsockname(fd, address));
  return address.readUInt32LE(NL_PID);
}

/** Without an address, a message goes to the kernel: port ID 0. */
function sendAll(fd: number, message: Buffer): void {
  let sent: number;
  do sent = send(fd, message, 0);
  while (sent === -EINTR || (sent === -EMSGSIZE && makeRoom(fd, message.length)));
  check('send', sent);
}

/** Lets messages of this size be sent, above what net.core.wmem_max allows. False when that was of no use. */
function makeRoom(fd: number, size: number): boolean {
  const before = Buffer.alloc(4);
  const after = Buffer.alloc(4);
  const wanted = Buffer.alloc(4);
  wanted.writeUInt32LE(2 * size);
  getsockopt(fd, SOL_SOCKET, SO_SNDBUF, before);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, wanted);
  getsockopt(fd, SOL_SOCKET, SO_SNDBUF, after);
  return after.readUInt32LE() > before.readUInt32LE();
}

/**
 * Received into, and copied. The kernel makes the datagrams of a dump as large as the room that it was given before, up
 * to this; and of a large set of nftables it walks all elements from the first for each datagram.
 */
const ROOM = Buffer.allocUnsafeSlow(32_768);

/** Peeks first: a datagram that does not fit the buffer would be lost, and a change cannot be asked for twice. */
function receive(fd: number): Buffer | 'overrun' | undefined {
  const address = Buffer.alloc(SIZEOF_SOCKADDR);
  const size = recvfrom(fd, Buffer.alloc(0), MSG_PEEK | MSG_TRUNC, address);
  if (size === -ENOBUFS) return 'overrun';
  if (size === -EAGAIN || size === -EINTR) return undefined;
  const room = check('recvfrom', size) > ROOM.length ? Buffer.allocUnsafe(size) : ROOM;
  const received = recvfrom(fd, room, MSG_TRUNC, address);
  if (received === -ENOBUFS) return 'overrun';
  check('recvfrom', received);
  // Other processes can send to us, too; the kernel alone has port ID 0.
  return address.readUInt32LE(NL_PID) === 0 ? Buffer.from(room.subarray(0, received)) : undefined;
}

function check(call: string, answer: number): number {
  if (answer < 0) throw new SystemError(call, -answer, 'netlink socket');
  return answer;
}
