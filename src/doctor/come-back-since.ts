import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Lease, listLeases } from '../ipam/lease-listing.ts';
import type { Link } from '../kernel/netlink/link.ts';
import { type Attachment, ownerHash } from '../network/attachment.ts';
import { type CallAtWork, callsAtWork } from '../node/calls-at-work.ts';
import { contentsHere } from '../node/contents.ts';
import { claimFolder } from '../runtime/claims.ts';
import { ResultCache } from '../runtime/result-cache.ts';
import { atWork } from './last-look.ts';
import type { Survey } from './survey.ts';

/**
 * Who of those that were gone at the last look has been attached again since then, as far as it is to be seen in a moment:
 * by a plugin at work, and between two plugins of a chain by what the first of them has made. For what has no identity of
 * its own but its owner's.
 */
export class ComeBackSince {
  readonly #calls: readonly CallAtWork[];
  readonly #leases: readonly Lease[];
  readonly #links: readonly Link[];

  /** Throws SystemError and NetlinkError. */
  constructor(private readonly look: Survey) {
    // First, as in the last look itself.
    this.#calls = callsAtWork();
    this.#leases = look.dataDirs().flatMap(listLeases);
    this.#links = contentsHere().links;
  }

  /** What says so. The end of a long container ID may be missing: then `hash` decides where it can. */
  reason(owner: Attachment, hash = ownerHash(owner)): string | undefined {
    return this.#claimed(owner) ?? this.reasonForHolder(owner, hash);
  }

  /** The same for whoever holds the claim of the attachment himself. */
  reasonForHolder(owner: Attachment, hash = ownerHash(owner)): string | undefined {
    return (
      atWork(this.#calls, owner.containerID, owner.ifName) ??
      this.#linked(hash) ??
      this.#leased(owner) ??
      this.#cached(owner)
    );
  }

  /** A call of the command line, also one that was killed. */
  #claimed({ network, containerID, ifName }: Attachment): string | undefined {
    const path = join(claimFolder(this.look.settings), `${network}-${containerID}-${ifName}`);
    return existsSync(path) ? `a call has claimed it: ${path}` : undefined;
  }

  #linked(hash: string): string | undefined {
    const name = `veth${hash.slice(0, 11)}`;
    const link = this.#links.find((one) => one.name === name);
    const isKnown = this.look.host().links.some(({ index }) => index === link?.index);
    return link === undefined || isKnown ? undefined : `${name} was made meanwhile`;
  }

  #leased({ network, containerID }: Attachment): string | undefined {
    const lease = this.#leases.find(
      (one) => one.network === network && one.containerID.startsWith(containerID) && !this.#isKnown(one),
    );
    return lease && `${lease.path} was written meanwhile`;
  }

  #isKnown({ path, since }: Lease): boolean {
    return this.look.leases().some((one) => one.path === path && one.since.getTime() === since.getTime());
  }

  #cached(owner: Attachment): string | undefined {
    const path = new ResultCache(this.look.settings.cacheDir).pathOf(owner);
    const since = statSync(path, { throwIfNoEntry: false })?.mtime.getTime();
    const known = this.look
      .cache()
      .entries.find((one) => one.path === path)
      ?.since.getTime();
    return since === undefined || since === known ? undefined : `${path} was written meanwhile`;
  }
}
