import type { Observer } from '../cni/observer.ts';
import type { Invocation } from '../cni/plugin.ts';
import type { Ipam } from './ipam.ts';

/**
 * The source of addresses that `ipam.type` names; undefined without one, for an interface without addresses. host-local
 * is ours; every other type is a plugin to be executed.
 */
export async function openIpam(
  invocation: Invocation,
  type: string,
  observer: Observer,
): Promise<Ipam | undefined> {
  if (type === '') return undefined;
  if (type === 'host-local')
    return (await import('./host-local-ipam.ts')).hostLocalIpam(invocation, observer);
  return (await import('./executed-ipam.ts')).executedIpam(invocation, type, observer);
}
