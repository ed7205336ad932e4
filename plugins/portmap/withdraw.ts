import { parseCidr } from '../../src/cni/address.ts';
import type { Json } from '../../src/cni/json.ts';
import { addressesIn } from '../../src/ipam/prev-result-addresses.ts';
import type { Attachment } from '../../src/network/attachment.ts';
import { hostPortOf, planHostPortCollection, planHostPortRemoval } from '../../src/network/host-port.ts';
import { iptablesHostPorts } from '../../src/network/iptables-leftovers.ts';
import type { FoundElement } from '../../src/network/owned-element.ts';
import { planReferenceHostPortRemoval } from '../../src/network/reference-leftovers.ts';
import type { Surroundings } from '../built-in.ts';
import { flushConnections } from './stale-connections.ts';

/** DEL: all that the attachment has, also what an ADD of the reference made for it. */
export function withdraw(owner: Attachment, prevResult: Json | undefined, surroundings: Surroundings): void {
  const { ruleset } = surroundings;
  const removed = planHostPortRemoval(ruleset, owner);
  // What a prevResult says is only to tell attachments of a container apart: one that is malformed does no harm.
  const addresses = addressesIn(prevResult).flatMap((text) => parseCidr(text)?.ip ?? []);
  planReferenceHostPortRemoval(ruleset, owner, addresses, removed);
  ruleset.plan({
    write() {},
    after() {
      forget(removed, surroundings);
      if (removed.length === 0) sayWhatIptablesHas(owner, surroundings);
    },
  });
  ruleset.conclude();
}

/** GC: what attachments of this network left behind that are not among the living. */
export function collect(network: string, living: readonly Attachment[], surroundings: Surroundings): void {
  const { ruleset } = surroundings;
  const removed = planHostPortCollection(ruleset, network, living);
  ruleset.plan({ write() {}, after: () => forget(removed, surroundings) });
  ruleset.conclude();
}

function forget(removed: readonly FoundElement[], surroundings: Surroundings): void {
  flushConnections(
    removed.flatMap((found) => hostPortOf(found) ?? []),
    surroundings,
  );
}

function sayWhatIptablesHas(owner: Attachment, { ruleset, warn }: Surroundings): void {
  for (const { object, commands } of iptablesHostPorts(ruleset, owner)) {
    const message = `${object} was left by another plugin; to remove it: ${commands.join(' && ')}`;
    warn('iptables-leftover', object, message);
  }
}
