import { family } from '../cni/address.ts';
import { fieldsText, interfaceField, portField, protocolField } from '../kernel/nftables/data-type.ts';
import { deleteElements } from '../kernel/nftables/element.ts';
import type { Attachment } from './attachment.ts';
import { HostPortClaims } from './host-port-claims.ts';
import { ALL_HOST_PORT_SETS, addHostPortSets, HOST_PORT_SETS, hostPortChains } from './host-port-rules.ts';
import { writeChain } from './owned-chain.ts';
import {
  complaintOf,
  type FoundElement,
  type OwnedElement,
  orphanedElements,
  ownedElements,
  writeOwned,
} from './owned-element.ts';
import { planElementRemoval } from './owned-removal.ts';
import type { PresentNat } from './present-nat.ts';
import { type HostPort, type HostPortOptions, isOfAll, type Publication } from './publication.ts';
import type { Ruleset } from './ruleset.ts';

/**
 * Leads ports of the node to an attachment. `commit` throws CniError with code 103 when one of them is another's. It
 * looks a second time when they are made, for one of an address and the same of all may come at the same time.
 */
export function planHostPorts(
  ruleset: Ruleset,
  owner: Attachment,
  publication: Publication,
  options: HostPortOptions,
): void {
  const elements = elementsOf(publication);
  const claims = new HostPortClaims(owner, publication, options);
  ruleset.plan({
    write(batch, look) {
      let isPrepared = false;
      const prepare = () => {
        if (!isPrepared) addHostPortSets(batch);
        isPrepared = true;
      };
      for (const chain of hostPortChains()) writeChain(batch, look.rules, chain, prepare);
      for (const { set, element } of claims.overlaps(look.nftables)) {
        look.guard();
        deleteElements(batch, set, [element.key]);
      }
      writeOwned(batch, look, owner, elements, (found) => claims.judge(found));
    },
    after(nftables) {
      try {
        claims.overlaps(nftables);
      } catch (error) {
        planHostPortRemoval(ruleset, owner);
        ruleset.commit();
        throw error;
      }
    },
  });
}

/** Takes all that back, whatever it is. Elements of others stay. `commit` fills the list. */
export function planHostPortRemoval(ruleset: Ruleset, owner: Attachment): readonly FoundElement[] {
  return planElementRemoval(ruleset, (nftables) => ownedElements(nftables, ALL_HOST_PORT_SETS, owner, []));
}

/** For GC: takes back what the network's attachments have that are not among `valid`. `commit` fills the list. */
export function planHostPortCollection(
  ruleset: Ruleset,
  network: string,
  valid: readonly Attachment[],
): readonly FoundElement[] {
  return planElementRemoval(ruleset, (nftables) =>
    orphanedElements(nftables, ALL_HOST_PORT_SETS, network, valid),
  );
}

/** For CHECK: what is missing, in words. Throws NetlinkError. */
export function missingHostPorts(present: PresentNat, owner: Attachment, publication: Publication): string[] {
  const complaints = [
    ...hostPortChains().map((chain) => present.complaintOf(chain)),
    ...elementsOf(publication).map((element) => complaintOf(present, owner, element)),
  ];
  return complaints.filter((complaint) => complaint !== undefined);
}

/** The port of the node that an element is of; undefined for those of the sets. */
export function hostPortOf({
  set,
  element: { key },
}: FoundElement): Omit<HostPort, 'containerPort'> | undefined {
  const { data, key: types } = set;
  if (data === undefined) return undefined;
  const [port, protocol, hostIP] = [...key].reverse();
  if (port === undefined || protocol === undefined || types.length < 2) return undefined;
  const name = fieldsText(['inet_proto'], [protocol]) as HostPort['protocol'];
  return { protocol: name, hostIP, hostPort: Number(fieldsText(['inet_service'], [port])) };
}

function elementsOf({ addresses, ports, masquerade, masqueradeAll }: Publication): OwnedElement[] {
  return addresses.flatMap(({ ip, link }) => {
    const ipFamily = family(ip);
    const sets = HOST_PORT_SETS[ipFamily];
    const mapped = ports.flatMap((port) => {
      const isAny = isOfAll(port, ipFamily);
      if (isAny === undefined) return [];
      const key = [protocolField(port.protocol), portField(port.hostPort)];
      const data = [ip, portField(port.containerPort)];
      if (isAny || port.hostIP === undefined) return [{ set: sets.any, key, data }];
      return [{ set: sets.address, key: [port.hostIP, ...key], data }];
    });
    if (mapped.length === 0 || !masquerade) return once(mapped);
    const behind = link === undefined ? [] : [interfaceField(link), interfaceField(link), ip];
    return [
      ...once(mapped),
      { set: sets.self, key: [ip, ip] },
      ...(link === undefined ? [] : [{ set: sets.bridge, key: behind }]),
      ...(sets.local === undefined ? [] : [{ set: sets.local, key: [ip] }]),
      ...(masqueradeAll ? [{ set: sets.all, key: [ip] }] : []),
    ];
  });
}

/** The same mapping may be asked for twice, with the unspecified address and without one. */
function once(elements: readonly OwnedElement[]): OwnedElement[] {
  const keys = elements.map(({ set, key }) => `${set.set} ${fieldsText(set.key, key)}`);
  return elements.filter((_, index) => keys.indexOf(keys[index] ?? '') === index);
}
