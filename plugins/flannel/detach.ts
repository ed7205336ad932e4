import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { lookUp } from '../../src/cni/keys.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { attemptAll } from '../../src/runtime/attempt-all.ts';
import { type Call, delegateOf, keptConfigurationOf, knownConfigurationOf } from './call.ts';
import { damaged, type State } from './state-files.ts';

/** The state goes last: until the delegate has removed everything, the next DEL needs it. */
export async function detach(call: Call): Promise<void> {
  const { invocation, states } = call;
  const state = states.find(invocation);
  if (state === undefined) sayWhoseElse(call);
  await attemptAll(
    async () => {
      await (state === undefined ? removeStateless(call) : removeAsKept(call, state));
      states.removeUnfinished(invocation);
      if (state !== undefined) states.remove(state);
    },
    () => refuseLost(call, state),
  );
}

/** As after the network was given another name: what is left then is not to be left in silence. */
function sayWhoseElse({ invocation, states, surroundings }: Call): void {
  const path = states.pathOf(invocation);
  const name = states.nameIn(path);
  if (name === undefined) return;
  const message = `${path} is of network ${JSON.stringify(name)}, and is left to the DEL of that`;
  surroundings.warn('other-network', path, message);
}

/** One that cannot be read, as after a crash, must not keep a pod from ending: then as an ADD would do it now. */
async function removeAsKept(call: Call, state: State): Promise<void> {
  if (state.configuration !== undefined) return run(call, keptConfigurationOf(call, state.configuration));
  const message = `${damaged(state)}; what an ADD would make now is removed`;
  call.surroundings.warn('damaged-state', state.path, message);
  await run(call, knownConfigurationOf(call));
}

/**
 * Either there is nothing, or the state was lost. Our own plugins remove what is known to be this attachment's. They are
 * not given the namespace: what has the interface's name there now may be another network's. The reference would do
 * nothing, so that an executable cannot is only said.
 */
async function removeStateless(call: Call): Promise<void> {
  const { surroundings } = call;
  const configuration = knownConfigurationOf(call);
  const type = typeOf(configuration);
  let isOurs = false;
  try {
    const delegate = delegateOf(call, type);
    isOurs = delegate.isInProcess;
    await delegate.run('DEL', configuration, { CNI_NETNS: '' });
  } catch (thrown) {
    if (isOurs || thrown instanceof NamespaceLostError) throw thrown;
    const message = `there is no state of this attachment, and "${type}" could not be asked: ${CniError.from(thrown).message}`;
    surroundings.warn('stateless-delegate', type, message);
  }
}

async function run(call: Call, configuration: JsonObject): Promise<void> {
  await delegateOf(call, typeOf(configuration)).run('DEL', configuration);
}

function typeOf(configuration: JsonObject): string {
  return String(lookUp(configuration, 'type'));
}

/** Of them an ADD would make what the delegate is given, where no state says it. */
const lostWith = ['delegate', 'ipam'];

/** Then it is not known who made what, and it may be left: that must not look like success. Throws code 7. */
function refuseLost({ problems }: Call, state: State | undefined): void {
  const lost = problems.filter(
    ({ path }) => path === 'dataDir' || (lostWith.includes(path) && state?.configuration === undefined),
  );
  if (lost.length === 0) return;
  throw new CniError(ErrorCode.invalidConfiguration, lost.map(({ message }) => message).join('; '));
}
