import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Configuration } from '../../src/cni/configuration.ts';
import { CniError } from '../../src/cni/error.ts';
import { parseJson } from '../../src/cni/json.ts';
import type { Observer } from '../../src/cni/observer.ts';
import type { Version } from '../../src/cni/version.ts';
import { allocate, collect, leasesOf, release } from '../../src/ipam/host-local.ts';
import { type HostLocalSettings, readHostLocal } from '../../src/ipam/host-local-settings.ts';
import type { Owner } from '../../src/ipam/lease-owner.ts';

/** What `configuration.ts` makes of such a document. */
export function configurationOf(document: object, cniVersion: Version = '1.0.0'): Configuration {
  const parsed = parseJson(JSON.stringify({ name: 'net', type: 'host-local', ...document }));
  const shared = { cniVersion, name: 'net', type: 'host-local', prevResult: undefined };
  return { ...shared, runtimeConfig: undefined, document: parsed as Configuration['document'] };
}

/** What it throws, which must be a CniError. */
export function errorOf(run: () => unknown): CniError {
  try {
    run();
  } catch (error) {
    if (error instanceof CniError) return error;
    throw error;
  }
  throw new Error('did not fail');
}

/** A lease directory and an index of a test's own; for `using`. */
export class Pool implements Observer {
  readonly folder: string;
  readonly dataDir: string;
  readonly directory: string;
  readonly indexFolder: string;
  readonly steps: string[] = [];
  readonly warnings: string[] = [];
  readonly settings: HostLocalSettings;
  readonly step = <T>(name: string, operation: () => T): T => {
    this.steps.push(name);
    return operation();
  };
  readonly warn = (_rule: string, object: string, message: string) => {
    this.warnings.push(`${object}: ${message}`);
  };

  constructor(
    readonly ipam: object = { subnet: '10.1.0.0/24' },
    fileSystem = tmpdir(),
  ) {
    this.folder = mkdtempSync(join(fileSystem, 'cni-debug-test-'));
    this.dataDir = join(this.folder, 'leases');
    this.directory = join(this.dataDir, 'net');
    this.indexFolder = join(this.folder, 'index');
    const configuration = configurationOf({ ipam: { ...ipam, dataDir: this.dataDir } });
    this.settings = { ...readHostLocal(configuration, ''), indexFolder: this.indexFolder };
  }

  /** The settings with other addresses asked for. */
  asking(args: string): HostLocalSettings {
    const configuration = configurationOf({ ipam: { ...this.ipam, dataDir: this.dataDir } });
    return { ...readHostLocal(configuration, args), indexFolder: this.indexFolder };
  }

  add(containerID: string, settings = this.settings): string[] {
    const { ips } = allocate(settings, owner(containerID), this);
    return ips.map(({ address }) => address);
  }

  /** The addresses that were freed. */
  del(containerID: string, hint: string[] = []): string[] {
    return release(this.settings, owner(containerID), hint, this);
  }

  leases(containerID: string): string[] {
    return leasesOf(this.settings, owner(containerID), this);
  }

  collect(...containerIDs: string[]): string[] {
    return collect(this.settings, containerIDs.map(owner), this).map(({ address }) => address);
  }

  /** Writes a file as another host-local does. */
  write(name: string, text: string): void {
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(join(this.directory, name), text, { mode: 0o600 });
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  remove(name: string): void {
    rmSync(join(this.directory, name));
  }

  /** The names of the files, without those that are no leases. */
  names(): string[] {
    const names = existsSync(this.directory) ? readdirSync(this.directory) : [];
    return names.filter((name) => name !== 'lock' && !name.startsWith('last_reserved_ip.')).sort();
  }

  /** The index's file. */
  index(): string {
    const [name = ''] = readdirSync(this.indexFolder);
    return join(this.indexFolder, name);
  }

  /** How often all leases were read since this was last asked. */
  scans(): number {
    const count = this.steps.filter((step) => step === 'read all leases').length;
    this.steps.length = 0;
    return count;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function owner(containerID: string): Owner {
  return { containerID, ifName: 'eth0' };
}
