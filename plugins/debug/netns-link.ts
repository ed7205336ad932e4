import { existsSync } from 'node:fs';
import { CniError } from '../../src/cni/error.ts';
import { readValidAttachments } from '../../src/cni/valid-attachments.ts';
import type { Call } from './call.ts';

/** Where the links of this node are remembered; without it there have never been any. */
const stateFolder = '/run/cni-debug/netns-links';

/** `linkNetns`: what goes wrong is a finding, and the network is as good without. */
export async function setLink(call: Call): Promise<void> {
  const { settings, invocation } = call;
  if (!settings.linkNetns) return;
  await call.trace.step('link the namespace', async () => {
    const { NetnsLinks } = await import('../../src/network/netns-links.ts');
    await new NetnsLinks(stateFolder, warning(call)).set(attachmentOf(call), invocation.netns);
  });
}

/** Whatever the key says now: it may have been another at ADD. */
export async function removeLink(call: Call): Promise<void> {
  if (!existsSync(stateFolder)) return;
  const { NetnsLinks } = await import('../../src/network/netns-links.ts');
  await new NetnsLinks(stateFolder, warning(call)).remove(attachmentOf(call));
}

/** Those of attachments that the runtime does not list. */
export async function collectLinks(call: Call): Promise<void> {
  if (!existsSync(stateFolder)) return;
  const { configuration } = call.invocation;
  try {
    const valid = readValidAttachments(configuration);
    if (valid === undefined) return;
    const { NetnsLinks } = await import('../../src/network/netns-links.ts');
    await new NetnsLinks(stateFolder, warning(call)).collect(configuration.name, valid);
  } catch (error) {
    warning(call)('netns-link', stateFolder, `linkNetns: ${CniError.from(error).message}`);
  }
}

function attachmentOf({ invocation }: Call) {
  const { containerID, ifName, configuration } = invocation;
  return { network: configuration.name, containerID, ifName };
}

function warning({ trace }: Call) {
  return (rule: string, object: string, message: string) => trace.find(rule, object, message);
}
