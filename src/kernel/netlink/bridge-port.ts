import { Attributes, nested } from './attribute.ts';
import { getLink } from './link.ts';
import {
  AF_BRIDGE,
  decodeLinkHeader,
  encodeLinkHeader,
  IFLA_IFNAME,
  IFLA_MASTER,
  IFLA_PROTINFO,
  type LinkId,
  linkAttributes,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
} from './link-message.ts';
import {
  decodePortState,
  encodePortOptions,
  type PortOptions,
  type PortState,
  portOptionsText,
} from './port-state.ts';
import type { NetlinkSocket } from './socket.ts';

/** A link as its bridge sees it, as `bridge -details link` shows it. */
export interface BridgePort extends PortState {
  /** Of the link. */
  index: number;
  name: string;
  /** The bridge's index. */
  master: number;
}

/**
 * Changes options of a link that is a bridge's port; changeLink can do it beside other changes. Throws NetlinkError:
 * ENODEV when the link is gone, EOPNOTSUPP when it is no port, EPERM.
 */
export function changeBridgePort(socket: NetlinkSocket, link: LinkId, options: PortOptions): void {
  socket.request({
    operation: `set bridge port ${JSON.stringify(link.name)} ${portOptionsText(options)}`,
    type: RTM_SETLINK,
    payload: Buffer.concat([
      encodeLinkHeader({ family: AF_BRIDGE, index: link.index }),
      nested(IFLA_PROTINFO, ...encodePortOptions(options)),
    ]),
  });
}

/** All ports of all bridges in the socket's namespace. Throws as NetlinkSocket.dump does. */
export function listBridgePorts(socket: NetlinkSocket): BridgePort[] {
  const payload = encodeLinkHeader({ family: AF_BRIDGE });
  return socket
    .dump({ operation: 'dump bridge ports', type: RTM_GETLINK, payload })
    .filter(({ type }) => type === RTM_NEWLINK)
    .flatMap((message) => decodeBridgePort(message.payload) ?? []);
}

/** The port that a link is; undefined when it is none, or no bridge's. Throws as getLink does. */
export function getBridgePort(socket: NetlinkSocket, nameOrIndex: string | number): BridgePort | undefined {
  const link = getLink(socket, nameOrIndex);
  if (link?.port === undefined || link.master === undefined) return undefined;
  return { index: link.index, name: link.name, master: link.master, ...link.port };
}

/**
 * Decodes the payload of RTM_NEWLINK of AF_BRIDGE: struct ifinfomsg and IFLA_*; undefined for a bridge itself, which is
 * told of in the same way. Throws MalformedMessageError.
 */
export function decodeBridgePort(payload: Buffer): BridgePort | undefined {
  const { index } = decodeLinkHeader(payload);
  const attributes = new Attributes(linkAttributes(payload));
  const options = attributes.nested(IFLA_PROTINFO);
  const master = attributes.u32(IFLA_MASTER);
  if (options === undefined || master === undefined) return undefined;
  const name = attributes.string(IFLA_IFNAME) ?? '';
  return { index, name, master, ...decodePortState(options) };
}
