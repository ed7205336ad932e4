import { type JsonObject, newObject } from '../../src/cni/json.ts';
import type { Plugin } from '../../src/cni/plugin.ts';
import { readValidAttachments } from '../../src/cni/valid-attachments.ts';
import { latestVersion } from '../../src/cni/version.ts';
import { type Allocation, allocate, check, collect, release } from '../../src/ipam/host-local.ts';
import { readHostLocal, readLeaseDirectory } from '../../src/ipam/host-local-settings.ts';
import { status } from '../../src/ipam/pool-status.ts';
import { addressesIn } from '../../src/ipam/prev-result-addresses.ts';
import type { Surroundings } from '../built-in.ts';

/** Gives each attachment an address of each range set, and keeps the leases on disk as the reference does. */
export function hostLocalPlugin(surroundings: Surroundings): Plugin {
  return {
    add(invocation) {
      const settings = readHostLocal(invocation.configuration, invocation.args);
      return resultOf(allocate(settings, invocation, surroundings));
    },
    check(invocation) {
      check(readHostLocal(invocation.configuration, invocation.args), invocation, surroundings);
    },
    del(invocation) {
      const { configuration } = invocation;
      const hint = addressesIn(configuration.prevResult);
      release(readLeaseDirectory(configuration), invocation, hint, surroundings);
    },
    gc({ configuration }) {
      const valid = readValidAttachments(configuration);
      if (valid !== undefined) collect(readLeaseDirectory(configuration), valid, surroundings);
    },
    status({ configuration, args }) {
      status(readHostLocal(configuration, args), surroundings);
    },
  };
}

function resultOf({ ips, routes, dns }: Allocation): JsonObject {
  const addresses = ips.map((ip) => newObject(Object.entries(ip)));
  const result = newObject([
    ['cniVersion', latestVersion],
    ['ips', addresses],
  ]);
  if (routes.length > 0) result.routes = [...routes];
  if (dns !== undefined) result.dns = dns;
  return result;
}
