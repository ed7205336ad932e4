import type { Invocation, Plugin } from '../../src/cni/plugin.ts';
import { hostLocalIpam } from '../../src/ipam/host-local-ipam.ts';
import { addressesIn } from '../../src/ipam/prev-result-addresses.ts';
import type { Surroundings } from '../built-in.ts';

/**
 * Gives each attachment an address of each range set, and keeps the leases on disk as the reference does: what `bridge`
 * does inside its own process, for every other plugin.
 */
export function hostLocalPlugin(surroundings: Surroundings): Plugin {
  const ipam = (invocation: Invocation) => hostLocalIpam(invocation, surroundings);
  return {
    add: (invocation) => ipam(invocation).add(),
    check: (invocation) => ipam(invocation).check(),
    del: (invocation) => ipam(invocation).del(addressesIn(invocation.configuration.prevResult)),
    gc: async (invocation) => void (await ipam(invocation).gc()),
    status: (invocation) => ipam(invocation).status(),
  };
}
