import { CniError, ErrorCode } from '../cni/error.ts';
import { EADDRINUSE, EADDRNOTAVAIL, EBUSY, EEXIST, EINVAL, ENODEV } from '../kernel/errno.ts';
import { getLink, type Link } from '../kernel/netlink/link.ts';
import { changeLink, deleteLink } from '../kernel/netlink/link-change.ts';
import { createMacvlan } from '../kernel/netlink/link-create.ts';
import type { MacvlanMode } from '../kernel/netlink/macvlan.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import type { Namespace } from '../kernel/netns.ts';
import { type Attachment, ownerAlias, ownerHash, parseOwner } from './attachment.ts';
import type { Undo } from './undo.ts';

export interface MacvlanSettings {
  readonly mode: MacvlanMode;
  /** 0 leaves it to the kernel, which takes the master's. */
  readonly mtu: number;
  /** The kernel chooses one unless given; in mode passthru it is the master's in any case. */
  readonly mac: string | undefined;
  /** How many broadcasts may wait; 0 leaves it to the kernel. */
  readonly bcQueueLength: number;
}

/** Where it is made. */
export interface MacvlanPlace {
  /** A socket where the master is. */
  readonly outside: NetlinkSocket;
  readonly master: Link;
  /** The container, and a socket in it. */
  readonly container: Namespace;
  readonly inside: NetlinkSocket;
}

/**
 * A macvlan in the container, down, with its owner as its alias. Throws CniError, with what to do where the kernel's
 * refusal is a common one, and NetlinkError.
 */
export function makeMacvlan(
  { outside, master, container, inside }: MacvlanPlace,
  attachment: Attachment,
  settings: MacvlanSettings,
  undo: Undo,
): Link {
  const { ifName } = attachment;
  const { mode, mac } = settings;
  const name = transitName(attachment);
  const options = { mac, mtu: settings.mtu || undefined, bcQueueLength: settings.bcQueueLength || undefined };
  refusing(settings, master, () =>
    createMacvlan(outside, { name, parent: master, mode, namespace: container, ...options }),
  );
  let made: { index?: number; name: string } = { name };
  undo.push(`macvlan "${ifName}"`, () => unlessGone(() => deleteLink(inside, made)));
  const link = getLink(inside, name);
  if (link === undefined) throw new CniError(ErrorCode.tryAgainLater, `"${name}" was removed, or its master`);
  made = link;
  rename(inside, link, attachment);
  return { ...link, name: ifName };
}

/** Whatever sets it up. Throws what that does, and CniError where the kernel finds its MAC taken, which it looks at now. */
export function settingUp<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isError(error, EADDRINUSE)) throw error;
    const details = 'the master has it, or another macvlan of the same master: each needs one of its own';
    throw refusal('the MAC of the macvlan is in use already', details, error);
  }
}

/**
 * Removes the attachment's macvlan; also one that an ADD left half made. What is gone already is success, and what
 * belongs to another attachment or is no macvlan stays. Throws NetlinkError.
 */
export function removeMacvlan(inside: NetlinkSocket, attachment: Attachment): void {
  for (const name of [attachment.ifName, transitName(attachment)]) {
    const link = getLink(inside, name);
    if (link !== undefined && mayRemove(link, attachment)) unlessGone(() => deleteLink(inside, link));
  }
}

/** One without an owner was made by the reference, or by an ADD that was killed. */
function mayRemove({ kind, alias = '' }: Link, attachment: Attachment): boolean {
  const owner = parseOwner(alias);
  return kind === 'macvlan' && (owner === undefined || owner.ownerHash === ownerHash(attachment));
}

/**
 * Its name until it has its alias. Before Linux 6.15 the kernel looks for the name of a new link where it was asked for
 * and not where it is made, and there most nodes have an eth0. It follows from the attachment, so that DEL finds it.
 */
function transitName(attachment: Attachment): string {
  return `macv${ownerHash(attachment).slice(0, 11)}`;
}

function rename(inside: NetlinkSocket, link: Link, attachment: Attachment): void {
  const { ifName } = attachment;
  try {
    // Not in the message that makes it, where the kernel drops the alias.
    changeLink(inside, link, { name: ifName, alias: ownerAlias(attachment) });
  } catch (error) {
    if (!isError(error, EEXIST)) throw error;
    const owner = parseOwner(getLink(inside, ifName)?.alias ?? '');
    const isOwn = owner?.ownerHash === ownerHash(attachment);
    throw refusal(
      `failed to rename macvlan to "${ifName}": the container has an interface of that name already`,
      isOwn ? 'this attachment exists: a DEL comes before another ADD' : 'ask for another CNI_IFNAME',
      error,
    );
  }
}

/** What the kernel refuses with no more than a number. */
function refusing(settings: MacvlanSettings, master: Link, create: () => void): void {
  try {
    create();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // An EINVAL with words of the kernel's own, as of an MTU, needs none of ours.
    const isExplained = isError(error, EINVAL) && error.kernelMessage !== undefined;
    const errno = error instanceof NetlinkError && !isExplained ? error.errno : 0;
    throw refusal(`failed to create macvlan: ${reason}`, reasonsOf(settings, master)[errno] ?? '', error);
  }
}

function reasonsOf({ mode }: MacvlanSettings, { name }: Link): Partial<Record<number, string>> {
  return {
    [EEXIST]: 'an ADD of this attachment was killed, or is at work: a DEL comes before another ADD',
    [EBUSY]: `"${name}" is a port of a bridge or bond, or carries ipvlans: name another link under "master"`,
    [EADDRNOTAVAIL]: 'the MAC is one of a group (its first byte is odd), or all zeros: name another one',
    [EINVAL]:
      mode === 'passthru'
        ? `mode passthru takes the whole master, and "${name}" has macvlans already`
        : `a link takes macvlans if it is one of Ethernet and has none in mode passthru; see what "${name}" is with: ip -d link`,
  };
}

function refusal(message: string, details: string, cause: unknown): CniError {
  return new CniError(ErrorCode.internal, message, { details, cause });
}

function unlessGone(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!isError(error, ENODEV)) throw error;
  }
}

function isError(error: unknown, errno: number): error is NetlinkError {
  return error instanceof NetlinkError && error.errno === errno;
}
