import { CniError, ErrorCode } from '../cni/error.ts';
import { ENOENT, ENOTDIR } from '../kernel/errno.ts';
import {
  currentNamespace,
  type Namespace,
  NotNetworkNamespaceError,
  openNamespace,
} from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';

/**
 * The namespace that CNI_NETNS names, for ADD and CHECK. Throws code 8 when it is none, or the node's own, which
 * `isOverridden` (CNI_NETNS_OVERRIDE) allows.
 */
export function openContainer(path: string, { isOverridden }: { isOverridden: boolean }): Namespace {
  try {
    return guarded(openNamespace(path), isOverridden);
  } catch (error) {
    if (error instanceof CniError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `failed to open netns ${JSON.stringify(path)}: ${reason}`;
    throw new CniError(ErrorCode.invalidNetNS, message, { cause: error });
  }
}

/** The same for DEL: undefined when the container has no namespace any more, whatever is in its place now. */
export function openRemainingContainer(
  path: string,
  { isOverridden }: { isOverridden: boolean },
): Namespace | undefined {
  if (path === '') return undefined;
  try {
    return guarded(openNamespace(path), isOverridden);
  } catch (error) {
    if (error instanceof NotNetworkNamespaceError) return undefined;
    if (error instanceof SystemError && [ENOENT, ENOTDIR].includes(error.errno)) return undefined;
    throw error;
  }
}

/** CNI_NETNS_OVERRIDE as the reference's skel reads it. */
export function isNetnsOverridden(value: string | undefined): boolean {
  return value === '1' || value?.toLowerCase() === 'true';
}

function guarded(namespace: Namespace, isOverridden: boolean): Namespace {
  const own = currentNamespace();
  own.close();
  if (isOverridden || own.id !== namespace.id) return namespace;
  namespace.close();
  throw new CniError(
    ErrorCode.invalidNetNS,
    "plugin's netns and netns from CNI_NETNS should not be the same",
    { details: `${namespace.path} is the node's own network` },
  );
}
