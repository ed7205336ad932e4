import type { Rule } from './rule.ts';
import { leasesWithoutOwner } from './rules/leases.ts';
import { poolExhausted, poolNearlyFull } from './rules/pools.ts';

/** Every rule there is, in the order of their IDs. One that goes leaves its ID unused for ever. */
export const rules: readonly Rule[] = [leasesWithoutOwner, poolExhausted, poolNearlyFull];
