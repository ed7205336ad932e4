import { type Cidr, parseCidr } from '../../src/cni/address.ts';
import { openNamespace } from '../../src/kernel/netns.ts';
import type { Attachment } from '../../src/network/attachment.ts';
import { Ruleset, type RulesetOptions } from '../../src/network/ruleset.ts';
import { type ScratchNftables, scratchNftables } from '../kernel/nftables/scratch.ts';

/** A namespace of the test's own, with rulesets as a plugin makes them. */
export interface ScratchRuleset extends ScratchNftables {
  open(options?: Omit<RulesetOptions, 'namespace'>): Ruleset;
  /** One call: a ruleset that is opened, planned for, committed and closed. */
  call(plan: (ruleset: Ruleset) => void): void;
  /** One look. */
  look<T>(ask: (ruleset: Ruleset) => T): T;
}

export function scratchRuleset(...lines: string[]): ScratchRuleset {
  const scratch = scratchNftables(...lines);
  const namespace = openNamespace(scratch.path);
  const opened: Ruleset[] = [];
  const open: ScratchRuleset['open'] = (options) => {
    const ruleset = new Ruleset({ namespace, ...options });
    opened.push(ruleset);
    return ruleset;
  };
  const look: ScratchRuleset['look'] = (ask) => {
    const ruleset = open();
    try {
      return ask(ruleset);
    } finally {
      ruleset.close();
    }
  };
  return {
    ...scratch,
    open,
    look,
    call: (plan) =>
      look((ruleset) => {
        plan(ruleset);
        ruleset.commit();
      }),
    remove() {
      for (const ruleset of opened) ruleset.close();
      namespace.close();
      scratch.remove();
    },
  };
}

export const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`"${text}" is no CIDR`);
  return parsed;
};

export const pod = (number: number, network = 'shop'): Attachment => ({
  network,
  containerID: `pod${number}-0123456789abcdef0123456789abcdef0123456789abcdef0123456789`,
  ifName: 'eth0',
});
