import type { Clock, Plugin } from '../src/cni/plugin.ts';
import type { Step } from '../src/kernel/netlink/socket.ts';
import type { Ruleset } from '../src/network/ruleset.ts';

/** What a plugin of ours is made with. */
export interface Surroundings {
  readonly clock: Clock;
  /** Runs a part of the call, and keeps how long it took where somebody records that. */
  readonly step: Step;
  /** Says what is wrong without being an error; `rule` is a stable name, `object` what it is about. */
  readonly warn: (rule: string, object: string, message: string) => void;
  /** What the call does to nftables. */
  readonly ruleset: Ruleset;
  /** The others, for a plugin that delegates. */
  readonly builtIns: BuiltIns;
}

export type BuiltIn = (surroundings: Surroundings) => Promise<Plugin>;

/** Every plugin of ours, by its type. */
export type BuiltIns = Readonly<Record<string, BuiltIn>>;
