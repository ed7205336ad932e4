import type { Result } from '../cni/result.ts';
import type { ValidAttachment } from '../cni/valid-attachments.ts';

/** Where a plugin gets the addresses of its interface from: the `ipam` of its configuration. */
export interface Ipam {
  /** In the latest version, with `ips`, `routes` and `dns`. */
  add(): Promise<Result>;
  /** Gives back what `add` gave in this call, and only that. */
  undoAdd(): Promise<void>;
  check(): Promise<void>;
  /** `addresses` is what the attachment is known to have: a hint, not a limit. */
  del(addresses: readonly string[]): Promise<void>;
  /** The owners whose addresses were freed, as far as that is known. */
  gc(): Promise<readonly ValidAttachment[]>;
  status(): Promise<void>;
}
