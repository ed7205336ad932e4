import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Invocation, Plugin } from '../../src/cni/plugin.ts';
import { chainedResult, requiredPrevResult } from '../../src/cni/prev-result.ts';
import { readValidAttachments } from '../../src/cni/valid-attachments.ts';
import type { Attachment } from '../../src/network/attachment.ts';
import type { Surroundings } from '../built-in.ts';
import { readSettings, type Settings } from './configuration.ts';

/** Leads ports of the node to a container that a plugin before it in the list has connected. */
export function portmapPlugin(surroundings: Surroundings): Plugin {
  return {
    add: (invocation) => add(invocation, surroundings),
    check: (invocation) => check(invocation, surroundings),
    del: (invocation) => del(invocation, surroundings),
    gc: (invocation) => gc(invocation, surroundings),
    status: (invocation) => status(invocation, surroundings),
  };
}

/** Answers with prevResult; without port mappings there is nothing else to do. */
async function add(invocation: Invocation, surroundings: Surroundings): Promise<JsonObject> {
  const settings = readSettings(invocation.configuration);
  const { document, latest } = chainedResult(invocation.configuration);
  sayWhatHasNoMeaning(settings, surroundings);
  if (settings.portMappings.length > 0) {
    const { publish } = await import('./publish.ts');
    await publish(attachmentOf(invocation), settings, latest, surroundings);
  }
  return document;
}

/** Names all that is missing at once. */
async function check(invocation: Invocation, surroundings: Surroundings): Promise<void> {
  const settings = readSettings(invocation.configuration);
  const result = requiredPrevResult(invocation.configuration);
  if (settings.portMappings.length === 0) return;
  const { examine } = await import('./publish.ts');
  examine(attachmentOf(invocation), settings, result, surroundings);
}

/** All that the attachment has, whatever the configuration says by now: it is not even looked at. */
async function del(invocation: Invocation, surroundings: Surroundings): Promise<void> {
  const { withdraw } = await import('./withdraw.ts');
  withdraw(attachmentOf(invocation), invocation.configuration.prevResult, surroundings);
}

/** What nobody will delete any more. */
async function gc({ configuration }: Invocation, surroundings: Surroundings): Promise<void> {
  const valid = readValidAttachments(configuration);
  if (valid === undefined) return;
  const { collect } = await import('./withdraw.ts');
  collect(
    configuration.name,
    valid.map((attachment) => ({ network: configuration.name, ...attachment })),
    surroundings,
  );
}

/** Whether nftables can be used. */
async function status({ configuration }: Invocation, { ruleset }: Surroundings): Promise<void> {
  readSettings(configuration);
  try {
    ruleset.nftables.generation();
  } catch (cause) {
    const { message } = CniError.from(cause);
    throw new CniError(ErrorCode.pluginNotAvailable, `nftables cannot be used: ${message}`, { cause });
  }
}

function attachmentOf({ containerID, ifName, configuration }: Invocation): Attachment {
  return { network: configuration.name, containerID, ifName };
}

/** Keys of the reference that ask for what nftables does in another way. */
function sayWhatHasNoMeaning(settings: Settings, { warn }: Surroundings): void {
  const { backend, markMasqBit, externalSetMarkChain } = settings;
  if (backend === 'iptables')
    warn('portmap-backend', 'backend', 'backend: "iptables" is not used: nftables does the same here');
  if (markMasqBit !== undefined)
    warn('iptables-key', 'markMasqBit', 'markMasqBit: has no meaning for nftables, which needs no mark');
  if (externalSetMarkChain !== '')
    warn(
      'iptables-key',
      'externalSetMarkChain',
      `externalSetMarkChain: ${JSON.stringify(externalSetMarkChain)} is not used: it is a chain of iptables`,
    );
}
