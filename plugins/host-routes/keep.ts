import { type Cidr, formatCidr } from '../../src/cni/address.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { HostRoute } from '../../src/network/host-route.ts';
import { changeHostRoutes, type Others, planHostRoutes } from '../../src/network/host-route-plan.ts';
import { NodeRoutes } from '../../src/network/node-routes.ts';
import { Undo } from '../../src/network/undo.ts';
import { type Call, refuse, wantedRoutes } from './call.ts';
import { type Claim, claimsOfOthers, hasClaim, readClaim, writeClaim } from './claims.ts';

/**
 * Brings the node to the routes that are asked for. What is wrong with a `peersFile`, or with what it asks for, is said,
 * and then the last good list is kept: the pod that is being added cannot help it. Answers the list that is kept.
 */
export async function keepRoutes(call: Call): Promise<readonly HostRoute[]> {
  const { settings, surroundings, folder, network } = call;
  if (settings.peersFile === undefined) return bring(call, wantedRoutes(call));
  try {
    return await bring(call, wantedRoutes(call));
  } catch (error) {
    // Another call is at it: that is not the file's fault.
    if (error instanceof CniError && error.code === ErrorCode.tryAgainLater) throw error;
    const { message } = CniError.from(error);
    surroundings.warn('peers-file', settings.peersFile, `${message}; the routes of the last good list stay`);
  }
  const last = readClaim(folder, network)?.routes ?? [];
  try {
    if (last.length > 0) await bring(call, last);
  } catch (error) {
    if (error instanceof CniError && error.code === ErrorCode.tryAgainLater) throw error;
    const message = `the last good list cannot be kept either: ${CniError.from(error).message}`;
    surroundings.warn('peers-file', settings.peersFile, message);
  }
  return last;
}

/**
 * Brings the node to these routes, and removes those that the network had before and nobody wants now. All of it, or
 * nothing; without a difference it only reads. Throws code 7, code 999 for a route of somebody else, and NetlinkError.
 */
export async function bring(call: Call, wanted: readonly HostRoute[]): Promise<readonly HostRoute[]> {
  // Who else wants what, and what was there before, is asked only when something has to be done.
  const { changes } = plan(call, wanted, [], () => undefined);
  if (changes.length > 0 || !hasClaim(call.folder, call.network, wanted))
    await call.folder.locked(() => change(call, wanted));
  return wanted;
}

function plan(call: Call, wanted: readonly HostRoute[], left: readonly Cidr[], others: Others) {
  const node = new NodeRoutes(call.host);
  refuse(node.problemsOf(wanted), ErrorCode.invalidConfiguration);
  const { changes, problems } = planHostRoutes(node, wanted, left, others);
  refuse(problems, ErrorCode.internal);
  return { node, changes };
}

/** Under the lock, where everything is looked at once more. */
async function change(call: Call, wanted: readonly HostRoute[]): Promise<void> {
  const { folder, network, host, surroundings } = call;
  const found = readClaim(folder, network);
  const left = found === undefined ? [] : leftOf(found, wanted);
  const { node, changes } = plan(call, wanted, left, claimsOfOthers(folder, network));
  const undo = new Undo();
  try {
    undo.push(`${folder.path}/${network}.json`, () =>
      found === undefined ? folder.remove(network) : writeClaim(folder, network, found),
    );
    // Before the routes: what a call has made that is killed is known to the next.
    writeClaim(folder, network, { routes: wanted, left });
    changeHostRoutes(host, node, changes, undo);
    if (left.length > 0) writeClaim(folder, network, { routes: wanted, left: [] });
  } catch (error) {
    await undo.unwind((what, message) => surroundings.warn('undo-failed', what, `undo ${what}: ${message}`));
    throw error;
  }
}

/** Destinations that the network had, or was about to lose, and does not want any more. */
function leftOf({ routes, left }: Claim, wanted: readonly HostRoute[]): Cidr[] {
  const stays = new Set(wanted.map(({ dst }) => formatCidr(dst)));
  const had = [...routes.map(({ dst }) => dst), ...left];
  const gone = new Map(had.map((dst) => [formatCidr(dst), dst]));
  return [...gone].flatMap(([text, dst]) => (stays.has(text) ? [] : [dst]));
}
