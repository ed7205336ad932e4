import { latestResult } from '../cni/conversion.ts';
import type { JsonObject } from '../cni/json.ts';
import { addressesOf, type Result, readResult, versionOfResult } from '../cni/result.ts';
import { latestVersion } from '../cni/version.ts';
import type { Lease } from '../ipam/lease-listing.ts';
import { compareWithNamespace } from '../trace/namespace-check.ts';
import type { StoredRecord } from '../trace/stored-record.ts';

/** Who says what an attachment should be. */
export interface Claims {
  readonly netns: string;
  /** What its runtime holds. */
  readonly cached: JsonObject | undefined;
  /** Of its last ADD. */
  readonly recorded: StoredRecord | undefined;
  readonly leases: readonly Lease[];
  /** Its addresses come from host-local. */
  readonly isLeased: boolean;
}

/** What is not as the cached result has it, and where cache, records and leases do not agree. */
export function differenceLines({ netns, cached, recorded, leases, isLeased }: Claims): string[] {
  if (cached === undefined) return ['its runtime holds no result of it, so nothing can be compared'];
  const result = resultOf(cached);
  const { differences, suspicions } = compareWithNamespace(result, netns, 'result');
  const addresses = addressesOf(result).map(withoutLength);
  const leased = leases.map(({ address }) => address);
  return [
    ...[...suspicions, ...differences].map(({ message }) => message),
    ...otherThanRecorded(addresses, recorded),
    ...(isLeased ? addresses : [])
      .filter((address) => !leased.includes(address))
      .map((address) => `nobody holds a lease of ${address}: another container may get it`),
    ...leases
      .filter(({ address }) => !addresses.includes(address))
      .map(({ address, path }) => `the lease of ${address} (${path}) is in no result`),
  ];
}

function resultOf(cached: JsonObject): Result {
  const version = versionOfResult(cached, latestVersion);
  return latestResult(readResult(cached, version, 'result'), version);
}

function otherThanRecorded(addresses: readonly string[], recorded: StoredRecord | undefined): string[] {
  const result = recorded?.document.result;
  if (recorded === undefined || typeof result !== 'object' || result === null) return [];
  const then = addressesOf(result as JsonObject).map(withoutLength);
  const isSame = then.length === addresses.length && then.every((address) => addresses.includes(address));
  if (isSame) return [];
  return [
    `record ${recorded.id} of its ADD has ${then.join(', ') || 'no address'}, and the result of its runtime ${addresses.join(', ') || 'none'}`,
  ];
}

function withoutLength(address: string): string {
  return address.replace(/\/\d+$/, '');
}
