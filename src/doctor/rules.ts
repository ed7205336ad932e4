import type { Rule } from './rule.ts';
import { leasesWithoutOwner } from './rules/leases.ts';
import { natMissing } from './rules/missing-nat.ts';
import { natWithoutOwner, referenceNatWithoutOwner } from './rules/orphaned-nat.ts';
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
];
