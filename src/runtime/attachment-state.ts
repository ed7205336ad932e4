import { isObject, type JsonObject } from '../cni/json.ts';
import {
  currentNamespace,
  type Namespace,
  NotNetworkNamespaceError,
  openNamespace,
} from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';
import { linksOf } from './container-links.ts';
import { isReused } from './process-start.ts';

/**
 * Whether an attachment's container is still there: `alive` with its interface, `no-interface` without, `gone` where its
 * namespace is no more, and `unknown` where it does not say one, or it cannot be looked at.
 */
export type AttachmentState = 'alive' | 'no-interface' | 'gone' | 'unknown';

/** Where an attachment is, as somebody has written it down. */
export interface Located {
  readonly netns: string;
  readonly ifName: string;
  readonly result?: JsonObject | undefined;
  /** When that was; the number of a process may be another one's by now. */
  readonly since?: Date | undefined;
}

/** Looks into the namespace. Never throws. */
export function attachmentState(attachment: Located): AttachmentState {
  if (attachment.netns === '') return 'unknown';
  try {
    const { isOwn, hasInterface, isAnothers, isProven } = lookInto(attachment);
    // It may be the container that this process is in.
    if (isOwn && !isProven) return 'gone';
    if (hasInterface) return 'alive';
    // Not for its start alone: a clock that was set must not make garbage of what lives.
    return isAnothers ? 'gone' : 'no-interface';
  } catch (error) {
    if (error instanceof NotNetworkNamespaceError) return 'gone';
    return error instanceof SystemError && ['ENOENT', 'ENOTDIR'].includes(error.code) ? 'gone' : 'unknown';
  }
}

/**
 * The path that DEL is given. Empty where it leads to the node's own network by now, or to that of a process which got
 * the number of one that has ended: plugins delete what has the name, whosever it is. Never throws.
 */
export function remainingNetns(attachment: Located): string {
  try {
    const { isOwn, isAnothers, isProven } = lookInto(attachment);
    return isOwn || (isAnothers && !isProven) ? '' : attachment.netns;
  } catch {
    // What is not there harms nobody.
    return attachment.netns;
  }
}

/** Whether a path leads to the network that this process is in itself. Not when it cannot be opened. */
export function isOwnNetwork(netns: string): boolean {
  try {
    return lookInto({ netns, ifName: '' }).isOwn;
  } catch {
    return false;
  }
}

interface Sight {
  /** It is the namespace of this process. */
  readonly isOwn: boolean;
  /** It has an interface of the attachment, as far as can be told. */
  readonly hasInterface: boolean;
  /** And by its MAC it is just that one. */
  readonly isProven: boolean;
  /** The path names a process that was started after it was written down. */
  readonly isAnothers: boolean;
}

function lookInto(attachment: Located): Sight {
  const namespace = openNamespace(attachment.netns);
  try {
    const links = linksOf(namespace);
    const wanted = interfacesOf(attachment);
    const found = wanted.filter(({ name, mac }) =>
      links.some((link) => link.name === name && (mac === undefined || link.mac === mac)),
    );
    return {
      isOwn: isOwn(namespace),
      hasInterface: found.length > 0,
      isProven: found.some(({ mac }) => mac !== undefined),
      isAnothers: isAnothers(attachment),
    };
  } finally {
    namespace.close();
  }
}

function isOwn({ id }: Namespace): boolean {
  const own = currentNamespace();
  own.close();
  return own.id === id;
}

function isAnothers({ netns, since }: Located): boolean {
  const [, pid] = /^\/proc\/(\d+)\/(?:task\/\d+\/)?ns\/net$/.exec(netns) ?? [];
  return pid !== undefined && since !== undefined && isReused(Number(pid), since);
}

interface Wanted {
  readonly name: string;
  /** In lower case; undefined where it is not known, or says nothing, as that of lo. */
  readonly mac: string | undefined;
}

/** What the result says is in the container: that of loopback is another interface than it was asked for. */
function interfacesOf({ ifName, result }: Located): Wanted[] {
  const interfaces = Array.isArray(result?.interfaces) ? result.interfaces.filter(isObject) : [];
  const inside = interfaces.filter(({ sandbox }) => typeof sandbox === 'string' && sandbox !== '');
  if (inside.length === 0) return [{ name: ifName, mac: undefined }];
  return inside.map(({ name, mac }) => ({ name: String(name), mac: telling(mac) }));
}

function telling(mac: unknown): string | undefined {
  return typeof mac === 'string' && /[1-9a-f]/i.test(mac) ? mac.toLowerCase() : undefined;
}
