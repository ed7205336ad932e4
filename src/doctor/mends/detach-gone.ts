import { parseConflist } from '../../cni/conflist.ts';
import { isObject } from '../../cni/json.ts';
import type { Link } from '../../kernel/netlink/link.ts';
import { attachmentState } from '../../runtime/attachment-state.ts';
import { withAttachment } from '../../runtime/claims.ts';
import { detach } from '../../runtime/detach.ts';
import {
  type AttachmentKey,
  type CachedAttachment,
  type CacheEntry,
  ResultCache,
} from '../../runtime/result-cache.ts';
import { ComeBackSince } from '../come-back-since.ts';
import { insideAll } from '../facts/inside-all.ts';
import { type FileStamp, fileStamp, isStillSame } from '../file-stamp.ts';
import type { LastLook } from '../last-look.ts';
import type { Means, Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';
import type { SurveySettings } from '../survey.ts';

/** DEL of cached attachments whose container is gone, each with the configuration and result of its ADD. */
export function detachGone({ settings }: { settings: SurveySettings }, gone: readonly AttachmentKey[]): Mend {
  const cache = new ResultCache(settings.cacheDir);
  const stamps = new Map(gone.map((key) => [key, fileStamp(cache.pathOf(key))]));
  return { difference: gone.map(lineOf), apply: (means) => detachAll(stamps, cache, means) };
}

async function detachAll(
  stamps: ReadonlyMap<AttachmentKey, FileStamp | undefined>,
  cache: ResultCache,
  means: Means,
): Promise<Mended> {
  const account = new MendAccount();
  for (const [key, stamp] of stamps) {
    try {
      means.execution.signal?.throwIfAborted();
      const reason = await detachOne(key, stamp, cache, means);
      if (reason === undefined) account.tick(lineOf(key));
      else account.leave(lineOf(key), reason);
    } catch (error) {
      account.fail(lineOf(key), error);
    }
  }
  return account;
}

/** Why it was not done, where it was not. Throws what the DEL failed with. */
async function detachOne(
  key: AttachmentKey,
  stamp: FileStamp | undefined,
  cache: ResultCache,
  { execution, look }: Means,
): Promise<string | undefined> {
  const found = cache.find(key);
  if (found === undefined) return undefined;
  const list = parseConflist(found.attachment.config);
  const { containerID, ifName } = key;
  const runtime = { ...execution, cacheDir: cache.folder, containerID, ifName, netns: '' };
  return withAttachment(list, runtime, async (claim) => {
    // Whoever had the claim may have done it, or attached the container anew.
    const entry = cache.find(key);
    if (entry === undefined) return undefined;
    if (stamp === undefined || !isStillSame(entry.path, stamp)) return 'it was attached anew meanwhile';
    const reason = reasonToKeep(entry, look());
    if (reason !== undefined) return reason;
    // Without the path, where somebody else may be by now: there is nothing to be removed in what is gone.
    await detach({ ...entry.attachment, netns: '' }, entry.since, { ...runtime, inherited: claim.fd }, list);
    return undefined;
  });
}

function reasonToKeep({ attachment, since }: CacheEntry, look: LastLook): string | undefined {
  if (!look.survey.isSettled(since)) return 'it is too young to tell: see --min-age';
  if (attachmentState({ ...attachment, since }) !== 'gone')
    return `the container is there: ${attachment.netns}`;
  // Not by its addresses: they may be another's since then.
  return (
    new ComeBackSince(look.survey).reasonForHolder(attachment) ??
    look.reasonToKeep(attachment, []) ??
    stillThere(attachment, look)
  );
}

/** By name and MAC: its path may only not lead there any more, or not from here. */
function stillThere({ result }: CachedAttachment, { survey }: LastLook): string | undefined {
  const interfaces = Array.isArray(result?.interfaces) ? result.interfaces.filter(isObject) : [];
  for (const { name, mac, sandbox } of interfaces) {
    const isIt = (link: Link) =>
      link.name === name && link.mac === String(mac).toLowerCase() && link.kind !== 'bridge';
    if (typeof mac !== 'string' || !/[1-9a-f]/i.test(mac)) continue;
    if (typeof sandbox === 'string' && sandbox !== '') {
      const place = insideAll(survey).find(({ contents }) => contents.links.some(isIt));
      if (place !== undefined) return `${name} (${mac}) is in ${place.namespace.path}`;
    } else if (survey.host().links.some((link) => isIt(link) && link.kind === 'veth')) {
      return `${name} (${mac}) is there, and with it its other end, wherever that is`;
    }
  }
  return undefined;
}

function lineOf({ network, containerID, ifName }: AttachmentKey): string {
  return `- attachment of ${containerID} ${ifName} to network ${network}`;
}
