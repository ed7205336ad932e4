import { CniError } from '../cni/error.ts';
import { NamespaceLostError } from '../kernel/netns.ts';
import type { Ipam } from './ipam.ts';

/** What IPAM's CHECK finds, as one difference among those that a plugin's CHECK names. Rejects with NamespaceLostError. */
export async function ipamDifferences(ipam: Ipam | undefined): Promise<string[]> {
  try {
    await ipam?.check();
    return [];
  } catch (error) {
    if (error instanceof NamespaceLostError) throw error;
    return [`ipam: ${CniError.from(error).message}`];
  }
}
