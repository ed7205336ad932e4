import { isObject, type JsonObject } from '../cni/json.ts';
import { listLinks } from '../kernel/netlink/link.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import {
  currentNamespace,
  type Namespace,
  NotNetworkNamespaceError,
  openNamespace,
} from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';

/**
 * Whether an attachment's container is still there: `alive` with its interface, `no-interface` without, `gone` where its
 * namespace is no more, and `unknown` where it does not say one, or it cannot be looked at.
 */
export type AttachmentState = 'alive' | 'no-interface' | 'gone' | 'unknown';

/** Looks into the namespace. Never throws. */
export function attachmentState(attachment: {
  readonly netns: string;
  readonly ifName: string;
  readonly result?: JsonObject | undefined;
}): AttachmentState {
  if (attachment.netns === '') return 'unknown';
  let namespace: Namespace | undefined;
  try {
    namespace = openNamespace(attachment.netns);
    // The path was that of a process which is gone, and whose number another has now.
    if (isOurs(namespace)) return 'gone';
    const socket = openRouteSocket(namespace);
    const names = listLinks(socket).map(({ name }) => name);
    socket.close();
    return interfacesOf(attachment).some((name) => names.includes(name)) ? 'alive' : 'no-interface';
  } catch (error) {
    if (error instanceof NotNetworkNamespaceError) return 'gone';
    return error instanceof SystemError && ['ENOENT', 'ENOTDIR'].includes(error.code) ? 'gone' : 'unknown';
  } finally {
    namespace?.close();
  }
}

function isOurs({ id }: Namespace): boolean {
  const own = currentNamespace();
  own.close();
  return own.id === id;
}

/** What the result says is in the container: that of loopback is another interface than it was asked for. */
function interfacesOf({ ifName, result }: { ifName: string; result?: JsonObject | undefined }): string[] {
  const interfaces = Array.isArray(result?.interfaces) ? result.interfaces.filter(isObject) : [];
  const inside = interfaces.filter(({ sandbox }) => typeof sandbox === 'string' && sandbox !== '');
  return inside.length === 0 ? [ifName] : inside.map(({ name }) => String(name));
}
