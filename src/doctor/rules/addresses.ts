import type { Evidence } from '../../findings/finding.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { type SharedAddress, type Sharer, sharedAddresses } from '../facts/shared-addresses.ts';
import type { Draft, Rule } from '../rule.ts';
import { foundTwice } from '../second-look.ts';
import type { Survey } from '../survey.ts';

export const addressTwice: Rule = {
  id: 'D024',
  name: 'address-in-use-twice',
  severity: 'error',
  summary: 'Two containers, or a container and the node, have one address.',
  meaning: 'who asked last gets the packets: connections of both break, now and then or always',
  async find(survey) {
    const shared = await foundTwice(survey, concerned, ({ segment, sharers }) =>
      [segment, ...sharers.map(({ netns, address }) => `${netns} ${address}`)].join('\n'),
    );
    return shared.map((one) => found(one, survey));
  },
};

/** With `--network`, those that an attachment of it should have; and none of a container that just starts. */
function concerned(survey: Survey): SharedAddress[] {
  return sharedAddresses(survey).filter(({ address, sharers }) => {
    const attachments = survey
      .attachments()
      .filter(
        ({ containerID, ifName, addresses }) =>
          addresses.some((one) => one.split('/')[0] === address) ||
          sharers.some(({ who }) => who === `container ${containerID} ${ifName}`),
      );
    if (attachments.length === 0) return survey.settings.network === undefined;
    return attachments.every(({ since }) => survey.isSettled(new Date(since)));
  });
}

/** What the finding on an address is about, for those that follow from it. */
export function objectOfAddress(address: string): string {
  return `address ${address}`;
}

function found({ address, segment, sharers }: SharedAddress, survey: Survey): Draft {
  const leases = survey.leases().filter((lease) => lease.address === address);
  const rightful = new Set(
    leases.map(({ containerID, ifName = '' }) => `container ${containerID} ${ifName}`),
  );
  const wrong = sharers.filter(({ who, netns }) => netns !== undefined && !rightful.has(who));
  return {
    object: objectOfAddress(address),
    cause: `${sharers.length} have it on ${segment}: ${sharers.map(({ who }) => who).join(', ')}`,
    evidence: [
      ...sharers.slice(0, mostShown).map(shown),
      ...leases.map(({ path, containerID, ifName = '' }) => ({
        source: path,
        text: `${containerID} ${ifName}`,
      })),
    ],
    fix:
      rightful.size > 0 && wrong.length > 0 && wrong.length < sharers.length
        ? wrong.map(({ who }) => `start this one anew, the lease is another's: ${who}`)
        : ['start all but one of them anew'],
  };
}

const mostShown = 4;

function shown({ who, netns, link, address }: Sharer): Evidence {
  const command = `ip address show dev ${shellWord(link)}`;
  return {
    source: netns === undefined ? command : `nsenter --net=${shellWord(netns)} ${command}`,
    text: `inet${address.includes(':') ? '6' : ''} ${address} (${who})`,
  };
}
