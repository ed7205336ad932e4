import type { JsonObject } from '../cni/json.ts';
import type { Attachment } from '../network/attachment.ts';
import type { Ruleset } from '../network/ruleset.ts';

/** An attachment that lives, and what one plugin of its chain was configured with. */
export interface NatRequest {
  readonly attachment: Attachment;
  /** As the plugin would get it on stdin, with `runtimeConfig` and the result of the whole chain as `prevResult`. */
  readonly configuration: JsonObject;
  readonly netns: string;
  /** CNI_PATH */
  readonly cniPath: string;
}

/**
 * Plans what a plugin of ours does to nftables for the attachment, where its ADD was ours; nothing otherwise. `missing`
 * says it in words without a plan. Throws CniError where the configuration makes no sense.
 */
export interface PlanNat {
  missing(request: NatRequest): string[];
  plan(request: NatRequest, ruleset: Ruleset): void;
}
