import { EBUSY, ENOENT } from '../kernel/errno.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import { Batch } from '../kernel/nftables/batch.ts';
import { type ChainName, deleteChain } from '../kernel/nftables/chain.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';

/**
 * Removes a chain unless something jumps to it, in a batch of its own: one EBUSY undoes a whole batch, and another
 * process may add an element at any moment, or have removed the chain. Throws NetlinkError for all other errors.
 */
export function removeUnusedChain(nftables: Nftables, name: ChainName): void {
  const batch = new Batch();
  deleteChain(batch, name);
  try {
    nftables.commit(batch);
  } catch (error) {
    if (!(error instanceof NetlinkError && (error.errno === EBUSY || error.errno === ENOENT))) throw error;
  }
}
