import type { Rule } from './rule.ts';
import { addressTwice } from './rules/addresses.ts';
import { bridgeAddress } from './rules/bridge-address.ts';
import { bridgeDown } from './rules/bridges.ts';
import { hostPortTaken } from './rules/host-ports.ts';
import { interfaceDiffers } from './rules/interfaces.ts';
import { kernelFeatureMissing } from './rules/kernel-features.ts';
import { leasesWithoutOwner } from './rules/leases.ts';
import { natMissing } from './rules/missing-nat.ts';
import { mtuDiffers } from './rules/mtu.ts';
import { natWithoutOwner, referenceNatWithoutOwner } from './rules/orphaned-nat.ts';
import { peerRouteMissing } from './rules/peer-routes.ts';
import { poolExhausted, poolNearlyFull } from './rules/pools.ts';
import { orphanedVeth } from './rules/ports.ts';

/** Every rule there is, in the order of their IDs. One that goes leaves its ID unused for ever. */
export const rules: readonly Rule[] = [
  leasesWithoutOwner,
  poolExhausted,
  poolNearlyFull,
  orphanedVeth,
  natWithoutOwner,
  referenceNatWithoutOwner,
  natMissing,
  addressTwice,
  bridgeAddress,
  bridgeDown,
  mtuDiffers,
  kernelFeatureMissing,
  interfaceDiffers,
  peerRouteMissing,
  hostPortTaken,
];
