import type { Ip } from '../cni/address.ts';
import type { JsonObject } from '../cni/json.ts';
import type { Result } from '../cni/result.ts';
import type { Attachment } from '../network/attachment.ts';
import type { HostRoute } from '../network/host-route.ts';
import type { WantedNat } from '../network/wanted-nat.ts';

/** The keys of `bridge` that are to be seen on the node. */
export interface BridgeFacts {
  readonly bridge: string;
  readonly isGateway: boolean;
  readonly forceAddress: boolean;
  readonly mtu: number;
  readonly vlan: number;
  readonly macspoofchk: boolean;
  readonly ipMasq: boolean;
}

/** An attachment as ADD left it. */
export interface Made extends Attachment {
  readonly result: Result;
  /** The node's link that leads to an address of it. */
  readonly linkTo: (ip: Ip) => string | undefined;
}

/**
 * What our own plugins make of a configuration, by the code of an ADD; given by whoever knows them. Undefined for a type
 * that has nothing to do with it. `document` is what the plugin gets on stdin.
 */
export interface PluginFacts {
  readonly bridge: (type: string, document: JsonObject) => BridgeFacts | undefined;
  readonly nat: (type: string, document: JsonObject, made: Made) => WantedNat | undefined;
  /** Throws CniError for a list that makes no sense. */
  readonly hostRoutes: (type: string, document: JsonObject) => readonly HostRoute[] | undefined;
}
