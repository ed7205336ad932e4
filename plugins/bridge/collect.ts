import { readValidAttachments, type ValidAttachment } from '../../src/cni/valid-attachments.ts';
import { listLinks } from '../../src/kernel/netlink/link.ts';
import { type Attachment, ownerHash } from '../../src/network/attachment.ts';
import { findPort, removeOwnedPort, removePort } from '../../src/network/bridge-port.ts';
import { planMasqueradeCollection } from '../../src/network/masquerade.ts';
import { planSpoofCheckCollection } from '../../src/network/spoof-check.ts';
import { attemptAll } from '../../src/runtime/attempt-all.ts';
import type { Call } from './call.ts';

/** What attachments of this network left behind that the runtime does not list; of other networks nothing. */
export async function collect(call: Call): Promise<void> {
  const { invocation, surroundings, host, ipam } = call;
  const network = invocation.configuration.name;
  const valid = readValidAttachments(invocation.configuration);
  if (valid === undefined) return;
  const living = valid.map((attachment) => ({ network, ...attachment }));
  const hashes = new Set(living.map(ownerHash));
  const { ruleset } = surroundings;
  planMasqueradeCollection(ruleset, network, living);
  planSpoofCheckCollection(ruleset, network, living);
  await attemptAll(
    () => ruleset.commit(),
    () => attemptAll(...listLinks(host).map((link) => () => removeOwnedPort(host, link, network, hashes))),
    async () => removeUnnamedPorts(call, (await ipam?.gc()) ?? []),
  );
}

/** A veth whose ADD was killed before it could be given an alias is known by the lease only. */
function removeUnnamedPorts({ host, invocation }: Call, freed: readonly ValidAttachment[]): void {
  const network = invocation.configuration.name;
  const attachments: Attachment[] = freed.map((owner) => ({ network, ...owner }));
  for (const attachment of attachments) {
    const port = findPort(host, attachment);
    if (port !== undefined) removePort(host, port);
  }
}
