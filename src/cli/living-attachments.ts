import type { NetworkList } from '../cni/conflist.ts';
import type { ValidAttachment } from '../cni/valid-attachments.ts';
import { listLeases } from '../ipam/lease-listing.ts';
import { dataDirsOf } from '../node/data-dirs.ts';
import { attachmentState } from '../runtime/attachment-state.ts';
import { ResultCache } from '../runtime/result-cache.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import type { PlaceOptions } from './network-options.ts';

/** An ADD that has its address may take that long to its end, where it is cached. */
const youngMs = 5 * 60_000;

/**
 * The attachments to a network that must not be taken for garbage: all that are cached and whose namespace is not gone,
 * and those whose address is so new that their ADD, by whatever runtime, may not be over. Throws CommandFailure where
 * the cache has a file that makes no sense: whose it is cannot be known.
 */
export function livingAttachments(list: NetworkList, { cacheDir }: PlaceOptions): ValidAttachment[] {
  const { entries, refused } = new ResultCache(cacheDir).list();
  const [damaged] = refused;
  if (damaged !== undefined) {
    throw new CommandFailure(ExitStatus.unknown, `${damaged.reason}: it may be of an attachment that lives`, [
      'remove that file if it is not, or say with --valid which attachments live',
    ]);
  }
  const cached = entries
    .map(({ attachment, since }) => ({ ...attachment, since }))
    .filter(({ network }) => network === list.name);
  const isCached = ({ containerID, ifName }: ValidAttachment) =>
    cached.some((one) => one.containerID === containerID && one.ifName === ifName);
  const living = cached.filter((attachment) => attachmentState(attachment) !== 'gone');
  return [...living, ...young(list).filter((attachment) => !isCached(attachment))].map(
    ({ containerID, ifName }) => ({ containerID, ifName }),
  );
}

function young(list: NetworkList): ValidAttachment[] {
  const since = Date.now() - youngMs;
  return dataDirsOf(list)
    .flatMap(listLeases)
    .flatMap(({ network, containerID, ifName, since: made }) =>
      network === list.name && ifName !== undefined && made.getTime() > since
        ? [{ containerID, ifName }]
        : [],
    );
}
