import { formatCidr, formatIp, type Ip, parseCidr, parseIp } from '../cni/address.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import type { JsonObject } from '../cni/json.ts';
import type { Observer } from '../cni/observer.ts';
import { SystemError } from '../kernel/system-error.ts';
import type { HostLocalSettings, LeaseDirectory } from './host-local-settings.ts';
import { legacyOwnerText, type Owner, ownerText } from './lease-owner.ts';
import { type Lease, type Leases, withLeases } from './leases.ts';
import { assignRequested } from './requested-ips.ts';
import { readResolvConf } from './resolv-conf.ts';
import { takeAll } from './take-addresses.ts';

/** One address of each range set, and the rest of the result. */
export interface Allocation {
  readonly ips: readonly { readonly address: string; readonly gateway: string }[];
  readonly routes: readonly JsonObject[];
  /** Undefined when no `resolvConf` is configured. */
  readonly dns: JsonObject | undefined;
  /** Gives back just these addresses, for a call that fails later. Throws as `release` does. */
  readonly undo: () => void;
}

/**
 * Takes an address of each range set, all or none. Throws a CniError: 7 for addresses that cannot be asked for, 5 when
 * a file cannot be read or written, 11 when another process keeps the lock, and 999 in the reference's words when no
 * address is free or the attachment has one already.
 */
export function allocate(settings: HostLocalSettings, owner: Owner, observer: Observer): Allocation {
  return withCniErrors(() => {
    const { sets, routes, resolvConf } = settings;
    const wanted = assignRequested(sets, settings.requested);
    const dns = resolvConf === undefined ? undefined : readResolvConf(resolvConf);
    const taken =
      withLeases(settings, observer, 'make', (leases) =>
        observer.step('take addresses', () => takeAll(leases, sets, wanted, owner)),
      ) ?? [];
    const ips = taken.map(({ ip, range }) => ({
      address: formatCidr({ ip, prefixLength: range.subnet.prefixLength }),
      gateway: formatIp(range.gateway),
    }));
    const undo = () => {
      const own = (leases: Leases) => confirmed(leases, taken, ownerText(owner));
      removeLeases(settings, observer, own);
    };
    return { ips, routes, dns, undo };
  });
}

/**
 * Gives back every address of the attachment, and returns them. `hint` says which they are in all probability, as
 * prevResult does; with prefix length or without. No directory and no lease is success. What can be removed is removed
 * before a CniError is thrown: 5, or 11 when another process keeps the lock.
 */
export function release(
  at: LeaseDirectory,
  owner: Owner,
  hint: readonly string[],
  observer: Observer,
): string[] {
  const hinted = hint.flatMap((text) => parseCidr(text)?.ip ?? parseIp(text) ?? []);
  return removeLeases(at, observer, (leases) => {
    const named = confirmed(
      leases,
      hinted.map((ip) => ({ ip })),
      ownerText(owner),
    );
    const found = [...named, ...withText(leases, ownerText(owner))];
    // As the reference has it: a file of old times is not this interface's as long as there is one of its own.
    return found.length > 0 ? found : withText(leases, legacyOwnerText(owner));
  }).map(({ ip }) => formatIp(ip));
}

/** The addresses of the attachment. Throws a CniError: 5, or 11 when another process keeps the lock. */
export function leasesOf(at: LeaseDirectory, owner: Owner, observer: Observer): string[] {
  return withCniErrors(() => {
    const texts = [ownerText(owner), legacyOwnerText(owner)];
    const find = (leases: Leases) => texts.flatMap((text) => leases.find(text)).map(formatIp);
    return withLeases(at, observer, 'leave', find) ?? [];
  });
}

/** Throws a CniError, in the reference's words, when the attachment has no address; or as `leasesOf` does. */
export function check(at: LeaseDirectory, owner: Owner, observer: Observer): void {
  if (leasesOf(at, owner, observer).length > 0) return;
  const message = `host-local: Failed to find address added by container ${owner.containerID}`;
  throw new CniError(ErrorCode.internal, message, {
    details: `no file in ${at.directory} names the container and ${owner.ifName}`,
  });
}

/**
 * Removes the leases of all attachments that are not among the valid ones, and returns them. A file of old times, which
 * names no interface, stays as long as any interface of its container is valid. Throws as `release` does.
 */
export function collect(
  at: LeaseDirectory,
  valid: readonly Owner[],
  observer: Observer,
): { readonly address: string; readonly owner: string }[] {
  const texts = new Set([...valid.map(ownerText), ...valid.map(legacyOwnerText)]);
  const stale = (leases: Leases) => leases.scan().filter(({ owner }) => !texts.has(owner));
  return removeLeases(at, observer, stale).map(({ ip, owner }) => ({ address: formatIp(ip), owner }));
}

/** Does not stop at the first that cannot be removed, and throws its error in the end. */
function removeLeases(
  at: LeaseDirectory,
  observer: Observer,
  find: (leases: Leases) => readonly Lease[],
): Lease[] {
  const errors: unknown[] = [];
  const remove = (leases: Leases) =>
    find(leases).filter((lease) => {
      try {
        return leases.remove(lease);
      } catch (error) {
        errors.push(error);
        return false;
      }
    });
  return withCniErrors(() => {
    const removed = withLeases(at, observer, 'leave', (leases) =>
      observer.step('release addresses', () => remove(leases)),
    );
    if (errors.length > 0) throw errors[0];
    return removed ?? [];
  });
}

function withText(leases: Leases, owner: string): Lease[] {
  return leases.find(owner).map((ip) => ({ ip, owner }));
}

function confirmed(leases: Leases, named: readonly { ip: Ip }[], owner: string): Lease[] {
  return named.filter(({ ip }) => leases.read(ip) === owner).map(({ ip }) => ({ ip, owner }));
}

function withCniErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new CniError(ErrorCode.ioFailure, error.message, { cause: error });
  }
}
