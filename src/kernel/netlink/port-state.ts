import { type Attributes, present, u8Attribute } from './attribute.ts';
import { MalformedMessageError } from './message.ts';

/** How a bridge treats one of its ports. */
export interface PortState {
  /**
   * IFLA_BRPORT_STATE, BR_STATE_* of include/uapi/linux/if_bridge.h: 0 disabled, 1 and 2 not yet, 3 forwarding. It
   * is 3, too, for a new veth whose peer is down, until the kernel looks at the carrier: what is read or announced
   * before the peer is up says nothing.
   */
  state: number;
  /** IFLA_BRPORT_MODE: a packet may go back out of the port that it came in by. */
  hairpin: boolean;
  /** IFLA_BRPORT_ISOLATED: no packets from or to another isolated port; absent before Linux 4.18. */
  isolated?: boolean;
}

/** BR_STATE_FORWARDING of PortState.state. */
export const PORT_FORWARDING = 3;

/** What may change about a port; what is absent stays as it is. */
export interface PortOptions {
  hairpin?: boolean | undefined;
  isolated?: boolean | undefined;
}

/** Decodes IFLA_PROTINFO or IFLA_INFO_SLAVE_DATA of a bridge's port. Throws MalformedMessageError. */
export function decodePortState(options: Attributes): PortState {
  const state = options.u8(IFLA_BRPORT_STATE);
  if (state === undefined) throw new MalformedMessageError('bridge port has no state');
  const isolated = options.u8(IFLA_BRPORT_ISOLATED);
  return present<PortState>({
    state,
    hairpin: (options.u8(IFLA_BRPORT_MODE) ?? 0) !== 0,
    isolated: isolated === undefined ? undefined : isolated !== 0,
  });
}

/** `hairpin on isolated off` */
export function portOptionsText({ hairpin, isolated }: PortOptions): string {
  const words: string[] = [];
  if (hairpin !== undefined) words.push(`hairpin ${hairpin ? 'on' : 'off'}`);
  if (isolated !== undefined) words.push(`isolated ${isolated ? 'on' : 'off'}`);
  return words.join(' ');
}

/** IFLA_BRPORT_* for IFLA_PROTINFO or IFLA_INFO_SLAVE_DATA. */
export function encodePortOptions({ hairpin, isolated }: PortOptions): Buffer[] {
  const attributes: Buffer[] = [];
  if (hairpin !== undefined) attributes.push(u8Attribute(IFLA_BRPORT_MODE, Number(hairpin)));
  if (isolated !== undefined) attributes.push(u8Attribute(IFLA_BRPORT_ISOLATED, Number(isolated)));
  return attributes;
}

/** include/uapi/linux/if_link.h */
const IFLA_BRPORT_STATE = 1;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;
