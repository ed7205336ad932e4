import { formatCidr, parseIp } from '../../cni/address.ts';
import { readConfiguration } from '../../cni/configuration.ts';
import { type NetworkList, pluginConfiguration } from '../../cni/conflist.ts';
import { isObject, type JsonObject } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import { readHostLocal } from '../../ipam/host-local-settings.ts';
import type { Lease } from '../../ipam/lease-listing.ts';
import { type RangeSet, rangeOf, sizeOf } from '../../ipam/range.ts';
import { everyPlugin } from '../../runtime/every-plugin.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';
import { type DamagedLease, damagedLeases } from './lease-damage.ts';

/** A range set of host-local: every attachment of its network has one address of it. */
export interface Pool {
  readonly network: string;
  /** Where its leases are: a file each. */
  readonly directory: string;
  readonly set: RangeSet;
  /** `10.22.0.0/16`, and its alternatives. */
  readonly subnets: string;
  /** How many addresses it can give away. */
  readonly size: bigint;
  readonly leases: readonly Lease[];
  /** They say no owner, and keep the address all the same. */
  readonly damaged: readonly DamagedLease[];
}

/** The pools of the networks that have a file; one whose ranges make no sense is a matter of `lint`. */
export function poolsOf(survey: Survey): Pool[] {
  const lists = survey
    .files()
    .networks.map(({ list }) => list)
    .filter(({ name }) => survey.concerns(name));
  return survey
    .each(lists, (list) => hostLocals(list).flatMap((plugin) => poolsIn(list, plugin, survey)))
    .flat();
}

function hostLocals(list: NetworkList): JsonObject[] {
  return everyPlugin(list).filter((plugin) => {
    const ipam = lookUp(plugin, 'ipam');
    return isObject(ipam) && lookUp(ipam, 'type') === 'host-local';
  });
}

function poolsIn(list: NetworkList, plugin: JsonObject, survey: Survey): Pool[] {
  return see(`the ranges of network ${list.name}`, () => {
    const configuration = readConfiguration(pluginConfiguration(list, plugin), 'ADD');
    const { directory, sets } = readHostLocal(configuration, '');
    const isHere = ({ path }: { path: string }) => path.startsWith(`${directory}/`);
    const leases = survey.leases().filter(isHere);
    const damaged = damagedLeases(survey).filter(isHere);
    return sets.map((set) => ({
      ...{ network: list.name, directory, set },
      subnets: set.map(({ subnet }) => formatCidr(subnet)).join(', '),
      size: sizeOf(set),
      leases: leases.filter(({ address }) => isIn(set, address)),
      damaged: damaged.filter(({ address }) => isIn(set, address)),
    }));
  });
}

function isIn(set: RangeSet, address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && rangeOf(set, ip) !== undefined;
}
