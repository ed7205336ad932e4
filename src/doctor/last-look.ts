import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Link } from '../kernel/netlink/link.ts';
import { type Attachment, ownerHash } from '../network/attachment.ts';
import { type CallAtWork, callsAtWork } from '../node/calls-at-work.ts';
import type { KnownAttachment } from '../node/every-attachment.ts';
import { addressHolders } from './facts/address-holders.ts';
import { hiddenPeers, mayBeOf } from './facts/hidden-peers.ts';
import { insideAll } from './facts/inside-all.ts';
import { grouped } from './grouped.ts';
import { Survey, type SurveySettings } from './survey.ts';

/** As far as what is to be removed says whose it is. */
export interface Whose {
  readonly network?: string | undefined;
  /** The beginning of it, at least. */
  readonly containerID?: string | undefined;
  readonly ifName?: string | undefined;
  /** As `ownerHash` says it, where the names may be cut. */
  readonly hash?: string | undefined;
}

/**
 * The node as it is right before something is removed from it. What is removed must have been there before this look, and
 * be the same thing after it: then whoever made it has either ended, and what he made of the container can be seen, or he
 * is still at work. That holds for whatever is made before the container has its address, or after, by the same plugin.
 */
export class LastLook {
  readonly survey: Survey;
  readonly #calls: readonly CallAtWork[];
  readonly #hidden: readonly Link[];
  readonly #unseen: string | undefined;

  /** Looks, in the order in which a plugin works backwards. Throws SystemError, Unseen. */
  constructor(settings: SurveySettings) {
    // First: one that ends after this has been seen at work.
    this.#calls = callsAtWork();
    // Whatever network is spoken of: an address may be another's.
    this.survey = new Survey({ ...settings, network: undefined });
    this.survey.host();
    insideAll(this.survey);
    this.#hidden = hiddenPeers(this.survey);
    this.survey.attachments();
    this.survey.leases();
    // Files of the cache that make no sense are a matter of whoever has their name.
    const { refused } = this.survey.cache();
    this.#unseen = this.survey.unseen().find((line) => !refused.some(({ reason }) => line.includes(reason)));
  }

  /** Why nothing of this owner, and of nobody with one of the addresses, may go; undefined when nobody can be hurt. */
  reasonToKeep(whose: Whose, addresses: readonly string[]): string | undefined {
    return this.#unreadable(whose) ?? this.reasonToKeepDamaged(whose, addresses);
  }

  /** The same, for the damaged file itself in which it would stand whether the owner lives. */
  reasonToKeepDamaged(whose: Whose, addresses: readonly string[]): string | undefined {
    if (this.#unseen !== undefined) return `not all could be looked at: ${this.#unseen}`;
    return this.#atWork(whose) ?? this.#living(whose) ?? this.#held(addresses) ?? this.#outOfSight(whose);
  }

  #atWork({ containerID, ifName }: Whose): string | undefined {
    return atWork(this.#calls, containerID, ifName);
  }

  #living(whose: Whose): string | undefined {
    const living = this.#candidates(whose).find((one) => mayLive(one) && isSame(one, whose));
    return living && `the container is there: ${living.netns}`;
  }

  /** Tens of thousands of leases may have to go, while every ADD waits for the lock of their folder. */
  #candidates({ hash, containerID }: Whose): readonly KnownAttachment[] {
    const attachments = this.survey.attachments();
    if (hash !== undefined || containerID === undefined) return attachments;
    const byContainer = this.survey.once('by container', 'attachments', () =>
      grouped(attachments, (one) => one.containerID),
    );
    return byContainer.get(containerID) ?? [];
  }

  /** Where its namespace would stand. Such a file goes away only when nobody is known by the ID in its name. */
  #unreadable({ containerID }: Whose): string | undefined {
    if (containerID === undefined) return undefined;
    const file = this.survey
      .cache()
      .refused.find(({ path }) => basename(path).includes(containerID) && existsSync(path));
    return file && `what is cached of it cannot be read: ${file.reason}`;
  }

  #held(addresses: readonly string[]): string | undefined {
    const holders = addressHolders(this.survey);
    for (const address of addresses) {
      const [holder] = holders.get(address) ?? [];
      if (holder !== undefined) return `${holder.link} in ${holder.netns} has ${address}`;
      // It may have given it on, as to a virtual machine.
      const owner = this.survey.attachments().find((one) => mayLive(one) && hasAddress(one, address));
      if (owner !== undefined) return `${address} was given to ${owner.containerID} in ${owner.netns}`;
    }
    return undefined;
  }

  #outOfSight({ network, containerID, ifName, hash }: Whose): string | undefined {
    const isWhole = network !== undefined && containerID !== undefined && ifName !== undefined;
    const own = hash ?? (isWhole ? ownerHash({ network, containerID, ifName }) : undefined);
    const hidden = this.#hidden.find((link) => mayBeOf(link, own));
    return hidden && `the other end of ${hidden.name} is in a namespace that cannot be seen from here`;
  }
}

/** A plugin that works for the container, or for one whose ID begins so. */
export function atWork(
  calls: readonly CallAtWork[],
  containerID: string | undefined,
  ifName?: string,
): string | undefined {
  if (containerID === undefined) return undefined;
  const call = calls.find(
    (one) =>
      containerID === cutOff ||
      (one.containerID.startsWith(containerID) && (ifName === undefined || one.ifName === ifName)),
  );
  return call && `process ${call.pid} is at its ${call.command}`;
}

/** What `ownerNames` says of a container whose ID had no room behind the name of its network: it may be anybody. */
export const cutOff = '?';

function isSame(one: Attachment, { network, containerID, ifName, hash }: Whose): boolean {
  if (hash !== undefined) return ownerHash(one) === hash;
  return (
    containerID === one.containerID &&
    (network === undefined || network === one.network) &&
    (ifName === undefined || ifName === one.ifName)
  );
}

function hasAddress({ addresses }: KnownAttachment, address: string): boolean {
  return addresses.some((one) => one.split('/')[0] === address);
}

/** One that says a namespace, of which it cannot be told whether it is there, may be there. */
function mayLive({ state, netns }: KnownAttachment): boolean {
  return state === 'alive' || state === 'no-interface' || (state === 'unknown' && netns !== '');
}
