import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Lease, listLeases } from '../ipam/lease-listing.ts';
import type { Link } from '../kernel/netlink/link.ts';
import { type Attachment, ownerHash } from '../network/attachment.ts';
import { type CallAtWork, callsAtWork } from '../node/calls-at-work.ts';
import { contentsHere } from '../node/contents.ts';
import { claimFolder } from '../runtime/claims.ts';
import { atWork, cutOff } from './last-look.ts';
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
  readonly #claims: readonly string[];
  readonly #caches: readonly string[];

  /** Throws SystemError and NetlinkError. */
  constructor(private readonly look: Survey) {
    // First, as in the last look itself.
    this.#calls = callsAtWork();
    this.#leases = look.dataDirs().flatMap(listLeases);
    this.#links = contentsHere().links;
    this.#claims = pathsIn(claimFolder(look.settings));
    this.#caches = pathsIn(join(look.settings.cacheDir, 'results'));
  }

  /**
   * What says so. The end of a long container ID may be missing, and network and interface be empty where nothing says
   * them: then `hash` decides where it can, and else whoever may be it is taken for it.
   */
  reason(owner: Attachment, hash = ownerHash(owner)): string | undefined {
    return this.#claimed(owner) ?? this.reasonForHolder(owner, hash);
  }

  /** The same for whoever holds the claim of the attachment himself. */
  reasonForHolder(owner: Attachment, hash = ownerHash(owner)): string | undefined {
    return (
      atWork(this.#calls, owner.containerID, owner.ifName || undefined) ??
      this.#linked(hash) ??
      this.#leased(owner) ??
      this.#cached(owner)
    );
  }

  /** A call of the command line, also one that was killed. */
  #claimed(owner: Attachment): string | undefined {
    const path = this.#claims.find((one) => mayBeOf(owner, basename(one)));
    return path && `a call has claimed it: ${path}`;
  }

  #linked(hash: string): string | undefined {
    const name = `veth${hash.slice(0, 11)}`;
    const link = this.#links.find((one) => one.name === name);
    const isKnown = this.look.host().links.some(({ index }) => index === link?.index);
    return link === undefined || isKnown ? undefined : `${name} was made meanwhile`;
  }

  #leased({ network, containerID }: Attachment): string | undefined {
    const lease = this.#leases.find(
      (one) =>
        (network === '' || one.network === network) &&
        (containerID === cutOff || one.containerID.startsWith(containerID)) &&
        !this.#isKnown(one),
    );
    return lease && `${lease.path} was written meanwhile`;
  }

  #isKnown({ path, since }: Lease): boolean {
    return this.look.leases().some((one) => one.path === path && one.since.getTime() === since.getTime());
  }

  #cached(owner: Attachment): string | undefined {
    const { entries } = this.look.cache();
    const path = this.#caches.find((one) => {
      if (!mayBeOf(owner, basename(one))) return false;
      const since = statSync(one, { throwIfNoEntry: false })?.mtime.getTime();
      return since !== undefined && since !== entries.find((entry) => entry.path === one)?.since.getTime();
    });
    return path && `${path} was written meanwhile`;
  }
}

/** `network-containerID-ifName`, as claims and cached results are called. */
function mayBeOf({ network, containerID, ifName }: Attachment, name: string): boolean {
  if (containerID === cutOff) return true;
  return name.startsWith(network) && name.includes(`-${containerID}`) && name.endsWith(ifName);
}

function pathsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
