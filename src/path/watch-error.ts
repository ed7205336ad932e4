import { EINVAL, EOPNOTSUPP, EPROTONOSUPPORT } from '../kernel/errno.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import { SystemError } from '../kernel/system-error.ts';

/** Packets cannot be watched on this node; nothing is known of where they stop. */
export class WatchError extends Error {
  override readonly name = 'WatchError';
}

/** The same error, or what it means where the kernel lacks what a watch is made of. */
export function watchError(error: unknown): unknown {
  if (error instanceof NetlinkError && [EOPNOTSUPP, EINVAL].includes(error.errno))
    return new WatchError(
      `packets cannot be watched: this kernel has no tables of nftables that go away with their maker (Linux 5.12): ${error.message}`,
      { cause: error },
    );
  if (error instanceof SystemError && error.errno === EPROTONOSUPPORT)
    return new WatchError(`packets cannot be watched: this kernel has no nftables: ${error.message}`, {
      cause: error,
    });
  return error;
}
