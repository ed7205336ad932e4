import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Invocation, Plugin } from '../../src/cni/plugin.ts';
import { chainedResult, requiredPrevResult } from '../../src/cni/prev-result.ts';
import { readValidAttachments } from '../../src/cni/valid-attachments.ts';
import type { HostRoute } from '../../src/network/host-route.ts';
import { hostRouteDifference, planHostRoutes } from '../../src/network/host-route-plan.ts';
import { NodeRoutes } from '../../src/network/node-routes.ts';
import { refuseDifferences } from '../../src/trace/differences.ts';
import type { Surroundings } from '../built-in.ts';
import { type Call, refuse, wantedRoutes, withCall } from './call.ts';
import { claimsOfOthers, readClaim, writeClaim } from './claims.ts';
import { readSettings, readUsableSettings } from './configuration.ts';
import { bring, keepRoutes } from './keep.ts';

/**
 * Keeps the node's routes to the pods of other nodes. They are the node's and not a pod's: each ADD sees to them, and
 * they outlive the DEL of every pod, for which there is nothing to do.
 */
export function hostRoutesPlugin(surroundings: Surroundings): Plugin {
  const open = <T>(invocation: Invocation, operate: (call: Call) => T | Promise<T>) =>
    withCall(invocation, readSettings(invocation.configuration.document), surroundings, operate);
  return {
    add: (invocation) => open(invocation, (call) => add(invocation, call)),
    check: (invocation) => open(invocation, (call) => check(invocation, call)),
    gc: (invocation) => collect(invocation, surroundings),
    status: (invocation) => open(invocation, status),
  };
}

/** Passes on what the plugins before have made. */
async function add({ configuration }: Invocation, call: Call): Promise<JsonObject> {
  const prevResult = chainedResult(configuration);
  await keepRoutes(call);
  return prevResult.document;
}

/** Whether each route is there and leads where it should; of a file that is no good, those of the last good list. */
function check({ configuration }: Invocation, call: Call): void {
  requiredPrevResult(configuration);
  const node = new NodeRoutes(call.host);
  const wanted = lastGood(call, node);
  refuseDifferences(
    wanted.flatMap((route) => hostRouteDifference(node, route) ?? []),
    'node',
  );
}

function lastGood(call: Call, node: NodeRoutes): readonly HostRoute[] {
  const { settings, surroundings, folder, network } = call;
  if (settings.peersFile === undefined) return wantedRoutes(call);
  try {
    const wanted = wantedRoutes(call);
    refuse(node.problemsOf(wanted), ErrorCode.invalidConfiguration);
    return wanted;
  } catch (error) {
    surroundings.warn('peers-file', settings.peersFile, CniError.from(error).message);
    return readClaim(folder, network)?.routes ?? [];
  }
}

/** Without pods nobody needs the routes; with some, they are what the configuration says. */
async function collect(invocation: Invocation, surroundings: Surroundings): Promise<void> {
  const valid = readValidAttachments(invocation.configuration);
  if (valid === undefined) return;
  const { settings, problems } = readUsableSettings(invocation.configuration.document);
  for (const { path, message } of problems) surroundings.warn('malformed-key', path, message);
  await withCall(invocation, settings, surroundings, async (call) => {
    if (valid.length === 0) await forget(call);
    else if (problems.length === 0) await keepRoutes(call);
  });
}

async function forget(call: Call): Promise<void> {
  const { folder, network } = call;
  if (readClaim(folder, network) === undefined && !(await claimConfigured(call))) return;
  await bring(call, []);
  await folder.locked(() => {
    // An ADD may have come between.
    if (readClaim(folder, network)?.routes.length === 0) folder.remove(network);
  });
}

/**
 * Where nothing says any more what the network has, what the configuration asks for is the best that is known: claims
 * what of it is there and nobody else's, to be removed. Answers whether there is any.
 */
async function claimConfigured(call: Call): Promise<boolean> {
  const { host, folder, network, settings } = call;
  // Of a file only the content of this moment is known, which may not be what was set.
  const left = (settings.routes ?? []).map(({ dst }) => dst);
  const { changes } = planHostRoutes(new NodeRoutes(host), [], left, claimsOfOthers(folder, network));
  if (changes.length === 0) return false;
  await folder.locked(() => {
    if (readClaim(folder, network) === undefined) writeClaim(folder, network, { routes: [], left });
  });
  return true;
}

/** Whether an ADD would get all that it is to set. Throws code 50. */
function status(call: Call): void {
  const { host, folder, network } = call;
  try {
    const wanted = wantedRoutes(call);
    const node = new NodeRoutes(host);
    const { problems } = planHostRoutes(node, wanted, [], claimsOfOthers(folder, network));
    refuse([...node.problemsOf(wanted), ...problems], ErrorCode.pluginNotAvailable);
  } catch (error) {
    const { message, details } = CniError.from(error);
    throw new CniError(ErrorCode.pluginNotAvailable, message, { details, cause: error });
  }
}
