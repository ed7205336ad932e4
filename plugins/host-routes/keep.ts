import { type Cidr, family, formatCidr } from '../../src/cni/address.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import { enableForwarding } from '../../src/network/forwarding.ts';
import type { HostRoute } from '../../src/network/host-route.ts';
import { changeHostRoutes, type Others, planHostRoutes } from '../../src/network/host-route-plan.ts';
import { NodeRoutes } from '../../src/network/node-routes.ts';
import { Sysctls } from '../../src/network/sysctls.ts';
import { Undo } from '../../src/network/undo.ts';
import { type Call, refuse, wantedRoutes } from './call.ts';
import { type Claim, claimsOfOthers, hasClaim, readClaim, writeClaim } from './claims.ts';

/**
 * Brings the node to the routes that are asked for. What is wrong with a `peersFile`, or with what it asks for, is said,
 * and then the last good list is kept: the pod that is being added cannot help it.
 */
export async function keepRoutes(call: Call): Promise<void> {
  const { settings, surroundings, folder, network } = call;
  const { peersFile } = settings;
  if (peersFile === undefined) return bring(call, wantedRoutes(call));
  const complain = (error: unknown, text: (message: string) => string): void => {
    if (error instanceof CniError && NOT_THE_FILE.includes(error.code)) throw error;
    surroundings.warn('peers-file', peersFile, text(CniError.from(error).message));
  };
  try {
    return await bring(call, wantedRoutes(call));
  } catch (error) {
    complain(error, (message) => `${message}; the routes of the last good list stay`);
  }
  try {
    const last = readClaim(folder, network)?.routes ?? [];
    if (last.length > 0) await bring(call, last);
  } catch (error) {
    complain(error, (message) => `the last good list cannot be kept either: ${message}`);
  }
}

/** Another call is at it, or the node does not let packets through. */
const NOT_THE_FILE: readonly number[] = [ErrorCode.tryAgainLater, ErrorCode.ioFailure];

/**
 * Brings the node to these routes, and removes those that the network had before and nobody wants now. All of it, or
 * nothing; without a difference it only reads. Throws code 7, code 999 for a route of somebody else, code 5 for a node
 * that does not let packets through, and NetlinkError.
 */
export async function bring(call: Call, wanted: readonly HostRoute[]): Promise<void> {
  // Who else wants what, and what was there before, is asked only when something has to be done.
  const { changes } = plan(call, wanted, [], () => undefined);
  letThrough(call, wanted);
  if (changes.length > 0 || !hasClaim(call.folder, call.network, wanted))
    await call.folder.locked(() => change(call, wanted));
}

/** What the other nodes' pods send has to be passed on to ours. It stays so: others may have come to need it. */
function letThrough({ surroundings }: Call, routes: readonly HostRoute[]): void {
  const sysctls = new Sysctls(surroundings);
  try {
    for (const ipFamily of new Set(routes.map(({ dst }) => family(dst.ip))))
      enableForwarding(sysctls, ipFamily);
  } catch (error) {
    throw new CniError(ErrorCode.ioFailure, CniError.from(error).message, { cause: error });
  }
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
  const before = found ?? { routes: [], left: [] };
  const left = leftOf(before, wanted);
  const { node, changes } = plan(call, wanted, left, claimsOfOthers(folder, network));
  const undo = new Undo();
  try {
    if (changes.length > 0) {
      // What a call has made that is killed is known to the next, and so is the last list that was good: nobody knows
      // yet whether the kernel takes this one.
      const touched = [...wanted.map(({ dst }) => dst), ...left];
      writeClaim(folder, network, { routes: before.routes, left: touched });
      undo.push(`${folder.path}/${network}.json`, () =>
        found === undefined ? folder.remove(network) : writeClaim(folder, network, found),
      );
    }
    changeHostRoutes(host, node, changes, undo);
    writeClaim(folder, network, { routes: wanted, left: [] });
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
