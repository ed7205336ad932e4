import { lookUp, withoutKeys } from '../../src/cni/keys.ts';
import { readValidAttachments } from '../../src/cni/valid-attachments.ts';
import { attemptAll } from '../../src/runtime/attempt-all.ts';
import { type Call, delegateOf, knownConfigurationOf } from './call.ts';
import type { Kept } from './state-files.ts';

/**
 * The delegate's own GC; then DEL for each attachment of this network that has a state and is not listed, because many a
 * delegate has no GC. Without a list nothing is removed, and what belongs to other networks never is.
 */
export async function collect(call: Call): Promise<void> {
  const { invocation, settings, states, surroundings } = call;
  const valid = readValidAttachments(invocation.configuration);
  const stale = valid === undefined ? [] : states.list().filter((kept) => !valid.some(isOwnerOf(kept)));
  await attemptAll(
    () => delegateOf(call, settings.type).run('GC', knownConfigurationOf(call)),
    ...stale.map((kept) => () => removeStale(call, kept)),
    () => valid === undefined || states.removeAbandoned(surroundings.clock.now().getTime()),
  );
}

/** A file of the reference is that of every attachment of its container. */
function isOwnerOf({ containerID, ifName }: Kept) {
  return (valid: { containerID: string; ifName: string }) =>
    valid.containerID === containerID && (ifName === undefined || valid.ifName === ifName);
}

async function removeStale(call: Call, { path, containerID, ifName }: Kept): Promise<void> {
  const { states } = call;
  const state = states.read(path);
  // Whose a damaged one is nobody knows.
  if (state?.configuration === undefined) return;
  if (ifName !== undefined) {
    const configuration = withoutKeys(
      state.configuration,
      'cni.dev/valid-attachments',
      'cni.dev/attachments',
    );
    const variables = {
      CNI_CONTAINERID: containerID,
      CNI_IFNAME: ifName,
      CNI_NETNS: '',
      CNI_ARGS: '',
    };
    await delegateOf(call, String(lookUp(configuration, 'type'))).run('DEL', configuration, variables);
  }
  states.remove(state);
}
