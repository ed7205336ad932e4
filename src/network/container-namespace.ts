import { CniError, ErrorCode } from '../cni/error.ts';
import type { Invocation } from '../cni/plugin.ts';
import { ENOENT, ENOTDIR } from '../kernel/errno.ts';
import {
  currentNamespace,
  type Namespace,
  NotNetworkNamespaceError,
  openNamespace,
} from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';

/** What of a call says which namespace is the container's. */
type Named = Pick<Invocation, 'netns' | 'environment'>;

/**
 * The namespace that CNI_NETNS names, for ADD and CHECK. Throws code 8 when it is none, or the node's own, which
 * CNI_NETNS_OVERRIDE allows.
 */
export function openContainer({ netns: path, environment }: Named): Namespace {
  try {
    return guarded(openNamespace(path), environment);
  } catch (error) {
    if (error instanceof CniError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `failed to open netns ${JSON.stringify(path)}: ${reason}`;
    throw new CniError(ErrorCode.invalidNetNS, message, { cause: error });
  }
}

/** The same for DEL: undefined when the container has no namespace any more, whatever is in its place now. */
export function openRemainingContainer({ netns: path, environment }: Named): Namespace | undefined {
  if (path === '') return undefined;
  try {
    return guarded(openNamespace(path), environment);
  } catch (error) {
    if (error instanceof NotNetworkNamespaceError) return undefined;
    if (error instanceof SystemError && [ENOENT, ENOTDIR].includes(error.errno)) return undefined;
    throw error;
  }
}

function guarded(namespace: Namespace, environment: Invocation['environment']): Namespace {
  const own = currentNamespace();
  own.close();
  if (own.id !== namespace.id || isOverridden(environment.CNI_NETNS_OVERRIDE)) return namespace;
  namespace.close();
  throw new CniError(
    ErrorCode.invalidNetNS,
    "plugin's netns and netns from CNI_NETNS should not be the same",
    { details: `${namespace.path} is the node's own network` },
  );
}

/** As the reference's skel reads it. */
function isOverridden(value: string | undefined): boolean {
  return value === '1' || value?.toLowerCase() === 'true';
}
