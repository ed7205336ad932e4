import type { PlanNat } from '../doctor/plan-nat.ts';

export const planNat: PlanNat = { missing: () => [], plan() {} };
