import { refuseLostIpam } from '../../src/cni/key-reader.ts';
import { addressesIn } from '../../src/ipam/prev-result-addresses.ts';
import { openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import { openRemainingContainer } from '../../src/network/container-namespace.ts';
import { removeMacvlan } from '../../src/network/macvlan.ts';
import { attemptAll } from '../../src/runtime/attempt-all.ts';
import type { Call } from './call.ts';

/** Nothing that is missing is an error, and no error keeps the rest from being removed. */
export async function detach(call: Call): Promise<void> {
  const { ipam, invocation, problems, settings } = call;
  // What a prevResult says is only where to look first, so one that is malformed does no harm.
  const known = addressesIn(invocation.configuration.prevResult);
  const removeLink = () => removeLinkOf(call);
  const giveBack = () => ipam?.del(known);
  // Of ours the address must not be given out while the link has it; a DHCP client gives it back over the link.
  const isBuiltIn = settings.ipamType === 'host-local';
  const inOrder = isBuiltIn ? [removeLink, giveBack] : [giveBack, removeLink];
  await attemptAll(...inOrder, () => refuseLostIpam(problems));
}

function removeLinkOf({ invocation, attachment, surroundings }: Call): void {
  const container = openRemainingContainer(invocation);
  if (container === undefined) return;
  try {
    const inside = openRouteSocket(container, surroundings.step);
    try {
      removeMacvlan(inside, attachment);
    } finally {
      inside.close();
    }
  } finally {
    container.close();
  }
}
