import { parseConflist } from '../cni/conflist.ts';
import { CniError } from '../cni/error.ts';
import { removeNamespace } from '../kernel/named-namespace.ts';
import { attemptAll } from './attempt-all.ts';
import { type Begun, Claim, type Left } from './claim.ts';
import { claimFolder } from './claims.ts';
import { detach } from './detach.ts';
import { delNetworkList, type RuntimeConfiguration } from './network-list.ts';

type Surroundings = Pick<
  RuntimeConfiguration,
  'cacheDir' | 'timeoutMs' | 'signal' | 'environment' | 'trace' | 'onCall' | 'onWarning' | 'inherited'
>;

/**
 * Takes back what calls that were killed had begun: attachments get their DEL, and namespaces made for them go away. What
 * fails is said, and stays for the next time. Throws SystemError when it cannot even be looked at.
 */
export async function takeBackAbandoned(surroundings: Surroundings): Promise<void> {
  for (const claim of Claim.abandoned(claimFolder(surroundings))) {
    const { left } = claim;
    if (left === undefined) continue;
    const what = left.attachments.map(
      ({ network, containerID, ifName }) => `${network}/${containerID}/${ifName}`,
    );
    surroundings.onWarning?.(`a call was killed that had begun ${what.join(', ')}: that is taken back`);
    try {
      await takeBack(left, { ...surroundings, inherited: claim.fd });
    } catch (error) {
      surroundings.onWarning?.(`${CniError.from(error).message}; the next call tries again (${claim.path})`);
      claim.abandon();
      continue;
    }
    claim.release();
  }
}

/** Everything in reverse, whatever fails; then throws the first error. */
export async function takeBack(
  { attachments, cniPath, netns, since = new Date() }: Begun & Partial<Left>,
  surroundings: Surroundings,
): Promise<void> {
  const detachments = [...attachments].reverse().map((attachment) => () => {
    const runtime = { ...surroundings, ...attachment, cniPath };
    // Of a single attachment, the claim is in our hands; of several, each has one of its own.
    if (netns === undefined) return detach(attachment, since, runtime);
    return delNetworkList(parseConflist(attachment.config), runtime);
  });
  await attemptAll(...detachments, () => netns === undefined || removeNamespace(netns));
}
