import { readFileSync } from 'node:fs';
import { attributeValue, forEachAttribute } from '../../../src/kernel/netlink/attribute.ts';
import {
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  NLM_F_ECHO,
} from '../../../src/kernel/netlink/message.ts';
import { NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';

/** The message that a command of `ip` or `bridge` sends, as capture-sent.ts has it. */
export function sentByIp(command: string): NetlinkMessage {
  const line = readFileSync(`${import.meta.dir}/../../fixtures/netlink/sent-by-ip.hex`, 'utf8')
    .split('\n')
    .find((line) => line.slice(line.indexOf(' ') + 1) === command);
  if (line === undefined) throw new Error(`no "${command}" was captured`);
  return decodeMessages(Buffer.from(line.slice(0, line.indexOf(' ')), 'hex'))[0]!;
}

/** The first message that a function of ours sends, to a kernel that says yes to everything. */
export function sentByUs(run: (socket: NetlinkSocket) => void): NetlinkMessage {
  const messages: NetlinkMessage[] = [];
  const channel = {
    portId: 0,
    send: (message: Buffer) => void messages.push(...decodeMessages(message)),
    receive: () => encodeMessage({ type: 2, flags: 0, sequence: messages.length, payload: Buffer.alloc(20) }),
    close() {},
  };
  try {
    run(new NetlinkSocket(channel));
  } catch (error) {
    // What is made is asked for then, and this kernel has nothing to show.
    if (messages.length < 2) throw error;
  }
  return messages[0]!;
}

/**
 * How a payload is to be read: a structure of so many bytes, and these of its attributes nested, text, or not
 * compared.
 */
export interface Shape {
  struct?: number;
  [type: number]: Shape | 'text' | 'any';
}

/** The payload of struct ifinfomsg and IFLA_*. */
export const LINK: Shape = {
  struct: 16,
  3: 'text',
  12: {},
  18: { 1: 'text', 2: { 1: { struct: 16, 3: 'text', 28: 'any' } }, 4: 'text', 5: {} },
  20: 'text',
  26: { 2: { 1: {} }, 10: {} },
  28: 'any',
};
/** IFLA_INFO_DATA has no structure inside but for a veth. */
export const LINK_WITHOUT_PEER: Shape = { ...LINK, 18: { 1: 'text', 2: {} } };

/**
 * A message in a form that is equal where the kernel sees no difference: attributes in the order of their types,
 * NLA_F_NESTED NLM_F_ECHO and the NUL behind a text left out. Attributes of one type that follow each other keep
 * their order.
 */
export function comparable({ type, flags, payload }: NetlinkMessage, shape: Shape): unknown {
  return { type, flags: flags & ~NLM_F_ECHO, payload: tree(payload, shape) };
}

function tree(bytes: Buffer, shape: Shape): unknown {
  const { struct = 0 } = shape;
  const attributes: [number, unknown][] = [];
  const rest = bytes.subarray(struct);
  forEachAttribute(rest, (type, offset) => {
    const value = attributeValue(rest, offset);
    const inside = shape[type];
    // The kind `ip` gives options of a port is none that the kernel has, and looks for in vain.
    if (inside === 'text' && value.toString() === 'bridge_slave') return;
    if (inside === 'any') attributes.push([type, '']);
    else if (inside === 'text') attributes.push([type, value.toString().replace(/\0$/, '')]);
    else attributes.push([type, inside === undefined ? value.toString('hex') : tree(value, inside)]);
  });
  attributes.sort(([one], [other]) => one - other);
  return { struct: bytes.toString('hex', 0, struct), attributes };
}
/** IFLA_AF_SPEC of AF_BRIDGE: IFLA_BRIDGE_FLAGS and IFLA_BRIDGE_VLAN_INFO. */
export const LINK_WITH_VLANS: Shape = { struct: 16, 26: {} };
