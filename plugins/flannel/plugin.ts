import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { lookUp, withoutKeys } from '../../src/cni/keys.ts';
import type { Invocation, Plugin } from '../../src/cni/plugin.ts';
import { requiredPrevResult } from '../../src/cni/prev-result.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { attemptAll } from '../../src/runtime/attempt-all.ts';
import { refuseDifferences } from '../../src/trace/differences.ts';
import type { Surroundings } from '../built-in.ts';
import type { Delegate } from '../delegate.ts';
import {
  type Call,
  configurationOf,
  delegateOf,
  keptConfigurationOf,
  knownConfigurationOf,
  openCall,
  openRemovingCall,
} from './call.ts';
import { subnetsIn } from './delegate-configuration.ts';
import { damaged, type State } from './state-files.ts';

/** Has another plugin, mostly `bridge`, connect the container, configured by what flanneld says of this node. */
export function flannelPlugin(surroundings: Surroundings): Plugin {
  return {
    add: (invocation) => add(openCall(invocation, surroundings)),
    check: (invocation) => check(openCall(invocation, surroundings)),
    del: (invocation) => del(openRemovingCall(invocation, surroundings)),
    gc: (invocation) => gc(openRemovingCall(invocation, surroundings)),
    status: (invocation) => status(invocation, surroundings),
  };
}

/** What the delegate gets is written down before it gets it: DEL needs the same, whatever happens until then. */
async function add(call: Call): Promise<JsonObject> {
  const { invocation, settings, states, surroundings } = call;
  const delegate = delegateOf(call, settings.type);
  const configuration = withoutKeys(configurationOf(call), 'prevResult');
  const path = states.pathOf(invocation);
  const before = states.readAny(path);
  surroundings.step(`write ${path}`, () => states.write(invocation, configuration));
  try {
    return await delegate.add(configuration);
  } catch (error) {
    // In the wrong namespace nothing must be undone.
    if (error instanceof NamespaceLostError) throw error;
    await undo(call, delegate, configuration, before);
    throw error;
  }
}

/** The state stays where something of the delegate's may be left. An attachment that was there before keeps its own. */
async function undo(
  { invocation, states, surroundings }: Call,
  delegate: Delegate,
  configuration: JsonObject,
  before: State | undefined,
): Promise<void> {
  const path = states.pathOf(invocation);
  try {
    if (before?.configuration !== undefined) states.write(invocation, before.configuration);
    else if (await delegate.undoAdd(configuration)) states.remove({ path });
  } catch (thrown) {
    if (thrown instanceof NamespaceLostError) throw thrown;
    surroundings.warn('undo-failed', path, `undo ${path}: ${CniError.from(thrown).message}`);
  }
}

/** The delegate's own CHECK, with what it was given by ADD; and whether that is still what flanneld says. */
async function check(call: Call): Promise<void> {
  const { invocation, settings, states } = call;
  requiredPrevResult(invocation.configuration);
  const now = knownConfigurationOf(call);
  const state = states.find(invocation);
  const made = state?.configuration && keptConfigurationOf(call, state.configuration);
  const configuration = made ?? now;
  const differences =
    made === undefined
      ? [state === undefined ? `${states.pathOf(invocation)} is missing` : damaged(state)]
      : movedSubnets(settings.subnetFile, subnetsIn(made), subnetsIn(now));
  await attemptAll(
    () => delegateOf(call, String(lookUp(configuration, 'type'))).run('CHECK', configuration),
    () => refuseDifferences(differences, 'node'),
  );
}

/** flanneld sends nothing to an address of a subnet that is this node's no more. */
function movedSubnets(path: string, made: readonly string[], now: readonly string[]): string[] {
  return made
    .filter((subnet) => !now.includes(subnet))
    .map((subnet) => `the address is of ${subnet}, and ${path} gives this node ${now.join(' and ')}`);
}

async function del(call: Call): Promise<void> {
  const { detach } = await import('./detach.ts');
  await detach(call);
}

/** What nobody will delete any more. */
async function gc(call: Call): Promise<void> {
  const { collect } = await import('./collect.ts');
  await collect(call);
}

/** Whether an ADD would find what it needs: the subnet, the delegate, and what that one needs. */
async function status(invocation: Invocation, surroundings: Surroundings): Promise<void> {
  const call = openCall(invocation, surroundings);
  const { delegate, configuration } = available(() => {
    const configuration = configurationOf(call);
    return { delegate: delegateOf(call, call.settings.type), configuration };
  });
  await delegate.run('STATUS', configuration);
}

function available<T>(look: () => T): T {
  try {
    return look();
  } catch (thrown) {
    const { message, details } = CniError.from(thrown);
    throw new CniError(ErrorCode.pluginNotAvailable, message, { details, cause: thrown });
  }
}
