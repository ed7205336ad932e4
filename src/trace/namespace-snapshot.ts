import { dumpAddresses } from '../kernel/netlink/address.ts';
import { areSameLinks, getCommonSysctls } from '../kernel/netlink/device-sysctl.ts';
import { dumpLinks } from '../kernel/netlink/link.ts';
import { blankCounters } from '../kernel/netlink/link-counters.ts';
import { decodeLinkHeader } from '../kernel/netlink/link-message.ts';
import { dumpNeighbours, isPermanent } from '../kernel/netlink/neighbour.ts';
import { dumpRoutes } from '../kernel/netlink/route.ts';
import { dumpRules } from '../kernel/netlink/rule.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import { type Difference, differencesOf, type Found } from './change.ts';
import {
  addressObject,
  type LinkIndex,
  linkObject,
  neighbourObject,
  routeObject,
} from './namespace-objects.ts';
import { ruleObject } from './rule-object.ts';
import {
  type ChangedLink,
  type CommonSysctls,
  type SysctlReader,
  sysctlDifferences,
} from './sysctl-differences.ts';

/**
 * What netlink tells of a namespace at one moment, as it came: most of it is the same a moment later, byte for byte,
 * and then nobody decodes it.
 */
export interface Snapshot {
  readonly links: Payloads;
  readonly addresses: Payloads;
  readonly routes: Payloads;
  readonly rules: Payloads;
  /** Those that somebody entered. */
  readonly neighbours: Payloads;
  readonly sysctls: CommonSysctls;
}

/** By the bytes, as a text of one character each: what is looked up by that is compared by the machine, not by us. */
type Payloads = ReadonlyMap<string, Buffer>;

/** Throws NetlinkError, SystemError and MalformedMessageError. */
export function takeSnapshot(socket: NetlinkSocket, sysctls: SysctlReader): Snapshot {
  const links = dumpLinks(socket);
  // With any traffic every link has other counters.
  blankCounters(links);
  return {
    links: byBytes(links),
    addresses: byBytes(dumpAddresses(socket)),
    routes: byBytes(dumpRoutes(socket)),
    rules: byBytes(dumpRules(socket)),
    neighbours: byBytes(dumpNeighbours(socket).filter(isPermanent)),
    sysctls: new Map<string, string | number>([...getCommonSysctls(socket), ...sysctls.readCommon()]),
  };
}

/** The links of both moments, by which an owner is found. */
export interface LinksOfBoth {
  readonly old: LinkIndex;
  readonly now: LinkIndex;
}

/** What is other in the second. Throws MalformedMessageError. */
export function snapshotDifferences(
  before: Snapshot,
  after: Snapshot,
  links: LinksOfBoth,
  sysctls: SysctlReader,
): Difference[] {
  const changed = changedLinks(before, after, links);
  const others = changed.filter(
    ({ old, now }) => old === undefined || now === undefined || !areSameLinks(old, now),
  );
  const compare = (
    kind: 'addresses' | 'routes' | 'rules' | 'neighbours',
    object: (payload: Buffer, links: LinkIndex) => Found | undefined,
  ): Difference[] => {
    return differencesOf(
      onlyIn(before[kind], after[kind]).flatMap((payload) => object(payload, links.old) ?? []),
      onlyIn(after[kind], before[kind]).flatMap((payload) => object(payload, links.now) ?? []),
    );
  };
  return [
    ...differencesOf(
      others.flatMap(({ old }) => (old === undefined ? [] : linkObject(old, links.old))),
      others.flatMap(({ now }) => (now === undefined ? [] : linkObject(now, links.now))),
    ),
    ...compare('addresses', addressObject),
    ...compare('routes', routeObject),
    ...compare('rules', ruleObject),
    ...compare('neighbours', neighbourObject),
    ...sysctlDifferences(changed, before.sysctls, after.sysctls, sysctls),
  ];
}

function changedLinks(before: Snapshot, after: Snapshot, { now: names }: LinksOfBoth): ChangedLink[] {
  const links = new Map<number, ChangedLink>();
  for (const old of onlyIn(before.links, after.links)) {
    const { index } = decodeLinkHeader(old);
    links.set(index, { index, name: '', old });
  }
  for (const now of onlyIn(after.links, before.links)) {
    const { index } = decodeLinkHeader(now);
    links.set(index, { ...links.get(index), index, name: names.name(index), now });
  }
  return [...links.values()];
}

function byBytes(payloads: readonly Buffer[]): Payloads {
  const found = new Map<string, Buffer>();
  for (const payload of payloads) found.set(payload.toString('latin1'), payload);
  return found;
}

function onlyIn(one: Payloads, other: Payloads): Buffer[] {
  const found: Buffer[] = [];
  for (const [bytes, payload] of one) if (!other.has(bytes)) found.push(payload);
  return found;
}
