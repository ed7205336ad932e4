import { basename } from 'node:path';
import type { Attachment } from '../network/attachment.ts';
import { type CallAtWork, callsAtWork } from '../node/calls-at-work.ts';
import type { KnownAttachment } from '../node/every-attachment.ts';
import { addressHolders } from './address-holders.ts';
import { hiddenPeers } from './hidden-peers.ts';
import { insideAll } from './inside-all.ts';
import { Survey, type SurveySettings } from './survey.ts';

/** As far as what is to be removed says whose it is. */
export type Whose = { readonly [key in keyof Attachment]?: string | undefined };

/**
 * The node as it is right before something is removed from it. What is removed must have been there before this look, and
 * be the same thing after it: then whoever made it has either ended, and what he made of the container can be seen, or he
 * is still at work. That holds for whatever is made before the container has its address, or after, by the same plugin.
 */
export class LastLook {
  readonly survey: Survey;
  readonly #calls: readonly CallAtWork[];
  readonly #reason: string | undefined;

  /** Looks, in the order in which a plugin works backwards. Throws SystemError, Unseen. */
  constructor(settings: SurveySettings) {
    // First: one that ends after this has been seen at work.
    this.#calls = callsAtWork();
    // Whatever network is spoken of: an address may be another's.
    this.survey = new Survey({ ...settings, network: undefined });
    this.survey.host();
    insideAll(this.survey);
    const [hidden] = hiddenPeers(this.survey);
    this.survey.attachments();
    const [unseen] = this.#unseen();
    if (unseen !== undefined) this.#reason = `not all could be looked at: ${unseen}`;
    else if (hidden !== undefined)
      this.#reason = `the other end of ${hidden.name} is in a namespace that cannot be seen from here`;
  }

  /** Files of the cache that make no sense are a matter of whoever has their name. */
  #unseen(): string[] {
    const { refused } = this.survey.cache();
    return this.survey.unseen().filter((line) => !refused.some(({ reason }) => line.includes(reason)));
  }

  /** Why nothing of this owner, and of nobody with one of the addresses, may go; undefined when nobody can be hurt. */
  reasonToKeep(whose: Whose, addresses: readonly string[]): string | undefined {
    return (
      this.#reason ??
      this.#atWork(whose) ??
      this.#living(whose) ??
      this.#unreadable(whose) ??
      this.#held(addresses)
    );
  }

  /** The same, where what is cached of it is known to be damaged, and is what is spoken of. */
  reasonToKeepNamed(whose: Whose, addresses: readonly string[]): string | undefined {
    return this.#reason ?? this.#atWork(whose) ?? this.#living(whose) ?? this.#held(addresses);
  }

  #atWork({ containerID, ifName }: Whose): string | undefined {
    if (containerID === undefined) return undefined;
    const call = this.#calls.find(
      (one) => one.containerID === containerID && (ifName === undefined || one.ifName === ifName),
    );
    return call && `process ${call.pid} is at its ${call.command}`;
  }

  #living({ network, containerID, ifName }: Whose): string | undefined {
    const living = this.survey
      .attachments()
      .find(
        (one) =>
          mayLive(one) &&
          containerID === one.containerID &&
          (network === undefined || network === one.network) &&
          (ifName === undefined || ifName === one.ifName),
      );
    return living && `the container is there: ${living.netns}`;
  }

  /** Where its namespace would stand. */
  #unreadable({ containerID }: Whose): string | undefined {
    if (containerID === undefined) return undefined;
    const file = this.survey.cache().refused.find(({ path }) => basename(path).includes(containerID));
    return file && `what is cached of it cannot be read: ${file.reason}`;
  }

  #held(addresses: readonly string[]): string | undefined {
    const holders = addressHolders(this.survey);
    for (const address of addresses) {
      const [holder] = holders.get(address) ?? [];
      if (holder !== undefined) return `${holder.link} in ${holder.netns} has ${address}`;
    }
    return undefined;
  }
}

/** One that says a namespace, of which it cannot be told whether it is there, may be there. */
function mayLive({ state, netns }: KnownAttachment): boolean {
  return state === 'alive' || state === 'no-interface' || (state === 'unknown' && netns !== '');
}
