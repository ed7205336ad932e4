import { parseCidr } from '../../src/cni/address.ts';
import { refuseLostIpam } from '../../src/cni/key-reader.ts';
import { addressesIn } from '../../src/ipam/prev-result-addresses.ts';
import type { Link } from '../../src/kernel/netlink/link.ts';
import { findPort, hasOwnedPeer, removePort } from '../../src/network/bridge-port.ts';
import { removeInterface } from '../../src/network/container-interface.ts';
import { openRemainingContainer } from '../../src/network/container-namespace.ts';
import { planMasqueradeRemoval } from '../../src/network/masquerade.ts';
import { planSpoofCheckRemoval } from '../../src/network/spoof-check.ts';
import { attemptAll } from '../../src/runtime/attempt-all.ts';
import type { Call } from './call.ts';

/** Nothing that is missing is an error, and no error keeps the rest from being removed. */
export async function detach(call: Call): Promise<void> {
  const { host, attachment, ipam, invocation, problems } = call;
  // What a prevResult says is only where to look first, so one that is malformed does no harm.
  const known = addressesIn(invocation.configuration.prevResult);
  let port: Link | undefined;
  await attemptAll(
    () => {
      port = findPort(host, attachment);
    },
    // Before the address can be given out again; and before the link, because the kernel makes whoever has removed
    // rules wait at the end until all processors have seen it, and removing a link takes longer than that.
    () => removeRules(call, known),
    () => port !== undefined || removeRulesOfReference(call),
    () => (port === undefined ? removeFromContainer(call) : removePort(host, port)),
    () => ipam?.del(known),
    () => refuseLostIpam(problems),
  );
}

/**
 * The node's end is not there under the name that we give it: the reference made it, or an earlier DEL removed it. What
 * has the name in the container now may be another network's.
 */
function removeFromContainer({ host, invocation, surroundings }: Call): void {
  const container = openRemainingContainer(invocation);
  if (container === undefined) return;
  try {
    // An interface of another kind is none of a bridge's.
    const isOurs = (link: Link) => link.kind === 'veth' && !hasOwnedPeer(host, link);
    removeInterface(container, invocation.ifName, isOurs, surroundings.step);
  } finally {
    container.close();
  }
}

function removeRules({ settings, surroundings, attachment }: Call, known: readonly string[]): void {
  const { ruleset } = surroundings;
  const addresses = known.length === 0 ? undefined : known.flatMap((text) => parseCidr(text) ?? []);
  if (settings.ipMasq) {
    planMasqueradeRemoval(ruleset, attachment, addresses, settings.nodeSubnet?.network);
  }
  if (settings.macspoofchk) planSpoofCheckRemoval(ruleset, attachment);
  ruleset.commit();
}

/** What an ADD of the reference's bridge made: its nftables rules are removed, its iptables rules are said. */
async function removeRulesOfReference({ settings, surroundings, attachment }: Call): Promise<void> {
  if (!settings.ipMasq && !settings.macspoofchk) return;
  const { ruleset, warn } = surroundings;
  const reference = await import('../../src/network/reference-leftovers.ts');
  if (settings.ipMasq) reference.planReferenceMasqueradeRemoval(ruleset, attachment);
  if (settings.macspoofchk) reference.planReferenceSpoofCheckRemoval(ruleset, attachment);
  ruleset.commit();
  if (!settings.ipMasq) return;
  const { iptablesLeftovers } = await import('../../src/network/iptables-leftovers.ts');
  for (const { object, commands } of iptablesLeftovers(ruleset, attachment)) {
    warn(
      'iptables-leftover',
      object,
      `${object} was left by another plugin; to remove it: ${commands.join(' && ')}`,
    );
  }
}
