import type { NetworkList } from '../cni/conflist.ts';
import { defaultDataDir } from '../ipam/host-local-settings.ts';
import { textsIn } from '../runtime/every-plugin.ts';

/** Where host-local keeps the leases of a network: by default, and wherever one of its plugins says. */
export function dataDirsOf(list: Pick<NetworkList, 'plugins'>): string[] {
  return [...new Set([defaultDataDir, ...textsIn(list, 'ipam', 'dataDir')])];
}
