import { dlopen } from 'bun:ffi';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { type Channel, openChannel } from '../../../src/kernel/netlink/channel.ts';
import { decodeMessages, encodeMessage } from '../../../src/kernel/netlink/message.ts';
import { openNamespace, runIn } from '../../../src/kernel/netns.ts';
import { SystemError } from '../../../src/kernel/system-error.ts';
import { requires } from '../../requirements.ts';
import { scratchNamespace } from '../scratch.ts';

const RTM_NEWLINK = 16;
const RTM_GETADDR = 22;
const RTNLGRP_LINK = 1;
const REQUEST_AND_DUMP = 0x301;

let channel: Channel;
beforeEach(() => {
  channel = openChannel(0);
});
afterEach(() => channel.close());

const question = (sequence: number): Buffer =>
  encodeMessage({ type: RTM_GETADDR, flags: REQUEST_AND_DUMP, sequence, payload: Buffer.alloc(8) });

test('the kernel answers to our port ID', () => {
  channel.send(question(0x01020304));
  const datagram = channel.receive();
  expect(datagram).toBeInstanceOf(Buffer);
  for (const message of decodeMessages(datagram as Buffer)) {
    expect(message).toMatchObject({ sequence: 0x01020304, portId: channel.portId });
  }
});

test('each channel has a port ID of its own', () => {
  const other = openChannel(0);
  expect(other.portId).not.toBe(channel.portId);
  expect(other.portId).not.toBe(0);
  other.close();
});

test('where nothing comes, waiting ends', () => {
  const start = performance.now();
  expect(channel.receive()).toBeUndefined();
  expect(performance.now() - start).toBeGreaterThan(100);
});

test.if(requires('root'))('what another process sends is not taken for an answer', () => {
  const libc = dlopen('libc.so.6', {
    socket: { args: ['int', 'int', 'int'], returns: 'int' },
    sendto: { args: ['int', 'ptr', 'usize', 'int', 'ptr', 'u32'], returns: 'i64' },
    close: { args: ['int'], returns: 'int' },
  }).symbols;
  const address = Buffer.alloc(12);
  address.writeUInt16LE(16);
  address.writeUInt32LE(channel.portId, 4);
  const forged = Buffer.concat([question(1), Buffer.alloc(100_000)]);
  const fd = libc.socket(16, 3, 0);
  expect(Number(libc.sendto(fd, forged, forged.length, 0, address, 12))).toBe(forged.length);
  libc.close(fd);
  expect(channel.receive()).toBeUndefined();
  channel.send(question(2));
  expect(decodeMessages(channel.receive() as Buffer)[0]?.sequence).toBe(2);
});

test('a protocol that the kernel lacks is a SystemError, and leaves nothing open', () => {
  const before = readdirSync('/proc/self/fd').length;
  expect(() => openChannel(31)).toThrow(SystemError);
  expect(() => openChannel(31)).toThrow('socket "netlink socket": Protocol not supported (EPROTONOSUPPORT)');
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

describe.if(requires('root', 'ip'))('groups', () => {
  test('announcements come to those who joined', () => {
    const scratch = scratchNamespace();
    const namespace = openNamespace(scratch.path);
    const [joined, other] = runIn(namespace, () => [openChannel(0, [RTNLGRP_LINK]), openChannel(0)]);
    try {
      scratch.ip('link add br0 type bridge');
      const datagram = joined!.receive();
      expect(decodeMessages(datagram as Buffer).map(({ type }) => type)).toContain(RTM_NEWLINK);
      expect(other!.receive(1)).toBeUndefined();
    } finally {
      joined?.close();
      other?.close();
      namespace.close();
      scratch.remove();
    }
  });

  test('a group that there is not is a SystemError, and leaves nothing open', () => {
    const before = readdirSync('/proc/self/fd').length;
    expect(() => openChannel(0, [4000])).toThrow('setsockopt "netlink socket": Invalid argument (EINVAL)');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
