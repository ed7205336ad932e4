import type { Cidr } from '../cni/address.ts';
import type { Attachment } from './attachment.ts';
import { missingHostPorts, planHostPorts } from './host-port.ts';
import { missingMasquerade, planMasquerade } from './masquerade.ts';
import type { PresentNat } from './present-nat.ts';
import type { HostPortOptions, Publication } from './publication.ts';
import type { Ruleset } from './ruleset.ts';
import { type CheckedPort, missingSpoofCheck, planSpoofCheck } from './spoof-check.ts';

/** What a plugin of ours keeps in nftables for an attachment. */
export interface WantedNat {
  readonly masquerade?: { readonly addresses: readonly Cidr[]; readonly leftAlone: Cidr | undefined };
  readonly spoofCheck?: CheckedPort;
  readonly hostPorts?: Publication;
}

/** What of it is not there, in words. Throws NetlinkError. */
export function missingNat(present: PresentNat, owner: Attachment, wanted: WantedNat): string[] {
  const { masquerade, spoofCheck, hostPorts } = wanted;
  return [
    ...(masquerade === undefined
      ? []
      : missingMasquerade(present, owner, masquerade.addresses, masquerade.leftAlone)),
    ...(spoofCheck === undefined ? [] : missingSpoofCheck(present, owner, spoofCheck)),
    ...(hostPorts === undefined ? [] : missingHostPorts(present, owner, hostPorts)),
  ];
}

/** Makes it, as ADD does. What is there already stays. */
export function planNat(
  ruleset: Ruleset,
  owner: Attachment,
  wanted: WantedNat,
  options: HostPortOptions,
): void {
  const { masquerade, spoofCheck, hostPorts } = wanted;
  if (masquerade !== undefined) planMasquerade(ruleset, owner, masquerade.addresses, masquerade.leftAlone);
  if (spoofCheck !== undefined) planSpoofCheck(ruleset, owner, spoofCheck);
  if (hostPorts !== undefined) planHostPorts(ruleset, owner, hostPorts, options);
}
