import type { JsonObject } from '../../src/cni/json.ts';
import type { Result } from '../../src/cni/result.ts';
import { type Attachment, hostVethName } from '../../src/network/attachment.ts';
import { addressesOf } from '../../src/network/result-addressing.ts';
import type { WantedNat } from '../../src/network/wanted-nat.ts';
import { readUsableSettings } from './configuration.ts';

/** What an ADD that answered with this result has made in nftables. */
export function wantedNat(document: JsonObject, attachment: Attachment, result: Result): WantedNat {
  const { ipMasq, macspoofchk, nodeSubnet } = readUsableSettings(document).settings;
  const addresses = addressesOf(result);
  const inside = (result.interfaces ?? []).find(({ name, sandbox }) => sandbox && name === attachment.ifName);
  return {
    ...(ipMasq && addresses.length > 0 ? { masquerade: { addresses, leftAlone: nodeSubnet?.network } } : {}),
    ...(macspoofchk ? { spoofCheck: { name: hostVethName(attachment), mac: inside?.mac ?? '' } } : {}),
  };
}
