import { formatIp, type Ip } from '../cni/address.ts';
import type { Observer } from '../cni/observer.ts';
import type { LeaseDirectory } from './host-local-settings.ts';
import { compareIps } from './ip-order.ts';
import { LeaseFiles } from './lease-files.ts';
import { LeaseIndex } from './lease-index.ts';
import { lockLeases } from './lease-lock.ts';
import { isMalformed } from './lease-owner.ts';

/** An address and what its file says, which is its owner mostly. */
export interface Lease {
  readonly ip: Ip;
  readonly owner: string;
}

/**
 * Runs `operation` on the leases of a network with the lock held. When there is no such directory it is made, or
 * `undefined` returned where nothing is to be made. Throws code 11 when another process keeps the lock, SystemError when
 * a file cannot be read or written.
 */
export function withLeases<T>(
  at: LeaseDirectory,
  observer: Observer,
  ifAbsent: 'make' | 'leave',
  operation: (leases: Leases) => T,
): T | undefined {
  const { directory, lockTimeoutMs: timeoutMs } = at;
  const unlock = observer.step('wait for the lease lock', () =>
    lockLeases(directory, { timeoutMs, ifAbsent }),
  );
  if (unlock === undefined) return undefined;
  const leases = new Leases(at, observer);
  try {
    return operation(leases);
  } finally {
    leases.close();
    unlock();
  }
}

/** The leases of a network, for as long as the lock is held: their files, and the index that finds them. */
export class Leases {
  private readonly files: LeaseFiles;
  private known: LeaseIndex | undefined;
  private isTrusted = true;

  constructor(
    private readonly at: LeaseDirectory,
    private readonly observer: Observer,
  ) {
    this.files = new LeaseFiles(at.directory);
  }

  /** The addresses whose files say just this, the lowest first. */
  find(owner: string): Ip[] {
    const ips = this.ask((index) => index.addressesOf(owner)).sort(compareIps);
    const confirmed = ips.filter((ip) => this.read(ip) === owner);
    if (confirmed.length === ips.length || this.index.isNew) return confirmed;
    this.scan();
    return this.find(owner);
  }

  read(ip: Ip): string | undefined {
    return this.files.read(ip);
  }

  /** What is known of the 64 addresses around this one without looking: see `LeaseIndex.around`. */
  around(ip: Ip): { isLeased: boolean; isFull: boolean } {
    return this.ask((index) => index.around(ip));
  }

  /** Whether what is known was read from the files themselves, in this call. */
  get isScanned(): boolean {
    return this.index.isNew;
  }

  /** False when the address has a file; the number is that of the set it is taken for. */
  take(ip: Ip, owner: string, set: number): boolean {
    // Whatever the index may say: this is what decides.
    if (!this.files.create(ip, owner)) {
      this.isTrusted &&= this.around(ip).isLeased;
      return false;
    }
    this.note((index) => index.add(ip, owner));
    try {
      this.files.setLastReserved(set, ip);
    } catch (error) {
      this.remove({ ip, owner });
      throw error;
    }
    return true;
  }

  remove({ ip, owner }: Lease): boolean {
    const wasThere = this.files.remove(ip);
    this.note((index) => index.remove(ip, owner));
    return wasThere;
  }

  lastReserved(set: number): Ip | undefined {
    return this.files.lastReserved(set);
  }

  /**
   * Reads every lease, and makes the index anew. A file that is empty while we hold the lock was left by a writer that
   * died, and is removed.
   */
  scan(): Lease[] {
    return this.observer.step('read all leases', () => {
      const leases: Lease[] = [];
      for (const ip of this.files.addresses()) {
        const owner = this.files.read(ip);
        if (owner === undefined) continue;
        if (owner === '') this.reclaim(ip);
        else leases.push({ ip, owner });
        if (owner !== '' && isMalformed(owner)) this.report(ip, owner);
      }
      this.known?.close();
      this.known = LeaseIndex.build(leases);
      this.isTrusted = true;
      return leases;
    });
  }

  close(): void {
    if (this.isTrusted) this.known?.save(this.at.directory, this.at.indexFolder);
    this.known?.close();
  }

  private get index(): LeaseIndex {
    this.known ??= LeaseIndex.open(this.at.directory, this.at.indexFolder);
    if (this.known === undefined) this.scan();
    return this.known as unknown as LeaseIndex;
  }

  /** An index that makes no sense is made anew. */
  private ask<T>(question: (index: LeaseIndex) => T): T {
    const { index } = this;
    try {
      return question(index);
    } catch (error) {
      if (index.isNew) throw error;
      this.scan();
      return question(this.index);
    }
  }

  /** Tells the index of a change, if there is one; if it cannot be told, it does not count any more. */
  private note(change: (index: LeaseIndex) => void): void {
    if (this.known === undefined) return;
    try {
      change(this.known);
    } catch {
      this.known.close();
      this.known = undefined;
    }
  }

  private reclaim(ip: Ip): void {
    const path = this.files.pathOf(ip);
    this.files.remove(ip);
    const message = `${path}: was empty, left by a process that died while it took the address; it is free again`;
    this.observer.warn('empty-lease', formatIp(ip), message);
  }

  private report(ip: Ip, owner: string): void {
    const message = `${this.files.pathOf(ip)}: ${JSON.stringify(owner)} names no owner; GC frees the address`;
    this.observer.warn('malformed-lease', formatIp(ip), message);
  }
}
