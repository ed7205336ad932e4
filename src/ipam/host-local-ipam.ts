import { newObject } from '../cni/json.ts';
import type { Observer } from '../cni/observer.ts';
import type { Invocation } from '../cni/plugin.ts';
import type { Result } from '../cni/result.ts';
import { readValidAttachments } from '../cni/valid-attachments.ts';
import { latestVersion } from '../cni/version.ts';
import { allocate, check, collect, release } from './host-local.ts';
import { readHostLocal, readLeaseDirectory } from './host-local-settings.ts';
import type { Ipam } from './ipam.ts';

/** host-local without a process of its own. */
export function hostLocalIpam(invocation: Invocation, observer: Observer): Ipam {
  const { configuration, args } = invocation;
  let undo = () => {};
  return {
    add: async () => {
      const allocation = allocate(readHostLocal(configuration, args), invocation, observer);
      const { ips, routes, dns } = allocation;
      undo = allocation.undo;
      const addresses = ips.map((ip) => newObject(Object.entries(ip)));
      const result = newObject([
        ['cniVersion', latestVersion],
        ['ips', addresses],
      ]);
      if (routes.length > 0) result.routes = [...routes];
      if (dns !== undefined) result.dns = dns;
      return result as Result;
    },
    undoAdd: async () => undo(),
    check: async () => check(readHostLocal(configuration, args), invocation, observer),
    del: async (addresses) =>
      void release(readLeaseDirectory(configuration), invocation, addresses, observer),
    gc: async () => {
      const valid = readValidAttachments(configuration);
      if (valid === undefined) return [];
      const freed = collect(readLeaseDirectory(configuration), valid, observer);
      return freed.flatMap(({ owner }) => {
        // A file of old times does not say which interface.
        const [containerID = '', ifName] = owner.split('\r\n');
        return ifName === undefined ? [] : [{ containerID, ifName }];
      });
    },
    status: async () =>
      (await import('./pool-status.ts')).status(readHostLocal(configuration, args), observer),
  };
}
