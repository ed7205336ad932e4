import { family, type Ip } from '../cni/address.ts';

/** A port of the node that leads to one of the container. */
export interface HostPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** The node's address that it is of; of all, when undefined or unspecified (`0.0.0.0`, `::`: of that family). */
  readonly hostIP: Ip | undefined;
  readonly hostPort: number;
  readonly containerPort: number;
}

/** An address of the container, and the node's link that it is behind, where a route says so. */
export interface PublishedAddress {
  readonly ip: Ip;
  readonly link: string | undefined;
}

/** What an attachment has of the node's ports. */
export interface Publication {
  readonly ports: readonly HostPort[];
  /** One of each family at most. */
  readonly addresses: readonly PublishedAddress[];
  /** What would not find its way back gets the node's address (`snat`). */
  readonly masquerade: boolean;
  /** And so does everything else that comes by these ports (`masqAll`). */
  readonly masqueradeAll: boolean;
}

/** What is asked of whoever knows more than nftables does. */
export interface HostPortOptions {
  /** Whether the attachment that the comment names is gone though its element is still there. */
  readonly isGone: (comment: string, address: Ip) => boolean;
  /** Somebody's element is replaced, because it is gone: the sentence. */
  readonly takenOver: (message: string) => void;
}

/** Whether the port is of all addresses of the family; undefined when it is none of the family's. */
export function isOfAll({ hostIP }: HostPort, ipFamily: 4 | 6): boolean | undefined {
  if (hostIP === undefined) return true;
  if (family(hostIP) !== ipFamily) return undefined;
  return hostIP.every((byte) => byte === 0);
}
