import type { Rule } from './rule.ts';
import { cacheWithoutContainer } from './rules/abandoned-caches.ts';
import { addressTwice } from './rules/addresses.ts';
import { bridgeAddress } from './rules/bridge-address.ts';
import { bridgeDown } from './rules/bridges.ts';
import { configurationRefused, conflistIgnored } from './rules/configurations.ts';
import { damagedCache } from './rules/damaged-caches.ts';
import { damagedLease } from './rules/damaged-leases.ts';
import { pluginMissing, pluginNotExecutable, versionUnsupported } from './rules/executables.ts';
import { attachmentFailing } from './rules/failing-attachments.ts';
import { bridgeNetfilterDrops, forwardDropped, notMasqueraded } from './rules/firewall.ts';
import { forwardingOff, reversePathFilter } from './rules/forwarding.ts';
import { hostPortTaken } from './rules/host-ports.ts';
import { interfaceDiffers } from './rules/interfaces.ts';
import { kernelFeatureMissing } from './rules/kernel-features.ts';
import { leasesWithoutOwner } from './rules/leases.ts';
import { lockHeld } from './rules/locks.ts';
import { pluginCrashed, pluginOutputMalformed } from './rules/misbehaving-plugins.ts';
import { natMissing } from './rules/missing-nat.ts';
import { mtuDiffers } from './rules/mtu.ts';
import { natWithoutOwner, referenceNatWithoutOwner } from './rules/orphaned-nat.ts';
import { peerRouteMissing } from './rules/peer-routes.ts';
import { poolExhausted, poolNearlyFull } from './rules/pools.ts';
import { orphanedVeth } from './rules/ports.ts';
import { nodeRestarted } from './rules/restart.ts';
import { pluginSlow } from './rules/slow-plugins.ts';
import { callWithoutEnd } from './rules/unfinished-calls.ts';

/** Every rule there is, in the order of their IDs. One that goes leaves its ID unused for ever. */
export const rules: readonly Rule[] = [
  leasesWithoutOwner,
  poolExhausted,
  poolNearlyFull,
  damagedLease,
  damagedCache,
  cacheWithoutContainer,
  lockHeld,
  callWithoutEnd,
  pluginCrashed,
  pluginOutputMalformed,
  pluginSlow,
  attachmentFailing,
  nodeRestarted,
  pluginMissing,
  pluginNotExecutable,
  versionUnsupported,
  conflistIgnored,
  configurationRefused,
  orphanedVeth,
  natWithoutOwner,
  referenceNatWithoutOwner,
  natMissing,
  addressTwice,
  bridgeAddress,
  bridgeDown,
  mtuDiffers,
  forwardingOff,
  reversePathFilter,
  bridgeNetfilterDrops,
  forwardDropped,
  kernelFeatureMissing,
  interfaceDiffers,
  peerRouteMissing,
  hostPortTaken,
  notMasqueraded,
];
