import type { Ip } from '../../src/cni/address.ts';
import { readConfiguration } from '../../src/cni/configuration.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Result } from '../../src/cni/result.ts';
import type { Attachment } from '../../src/network/attachment.ts';
import type { WantedNat } from '../../src/network/wanted-nat.ts';
import { readSettings } from './configuration.ts';
import { publicationOf } from './publish.ts';

/** What an ADD with this prevResult has made in nftables. Throws code 7 for a configuration that ADD would refuse. */
export function wantedNat(
  document: JsonObject,
  { ifName }: Attachment,
  result: Result,
  linkTo: (ip: Ip) => string | undefined,
): WantedNat {
  const settings = readSettings(readConfiguration(document, 'ADD'));
  const hostPorts = publicationOf(ifName, settings, result, linkTo);
  return hostPorts.ports.length === 0 || hostPorts.addresses.length === 0 ? {} : { hostPorts };
}
