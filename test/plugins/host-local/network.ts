import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, referencePath, run } from '../../program.ts';

/** The executable under its name, and the reference. */
export const ours = [join(import.meta.dir, '../../../dist/bin/host-local')];
export const reference = [`${referencePath[0]}/host-local`];

export interface Call {
  /** Instead of those of the network. */
  readonly ipam?: object;
  /** More of the configuration's keys. */
  readonly keys?: object;
  readonly args?: string;
  readonly ifName?: string;
  readonly started?: (pid: number) => void;
}

/** A network whose leases are a test's own; for `using`. */
export class Network {
  readonly folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
  readonly dataDir = join(this.folder, 'leases');
  readonly directory = join(this.dataDir, 'net');

  constructor(private readonly ipam: object = { subnet: '10.1.0.0/24' }) {}

  configuration({ ipam = this.ipam, keys = {} }: Call = {}): string {
    const shared = { cniVersion: '1.1.0', name: 'net', type: 'bridge' };
    return JSON.stringify({
      ...shared,
      ipam: { type: 'host-local', dataDir: this.dataDir, ...ipam },
      ...keys,
    });
  }

  environment(command: string, containerID: string, { args = '', ifName = 'eth0' }: Call = {}) {
    return {
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerID,
      CNI_IFNAME: ifName,
      CNI_NETNS: '/run/netns/none',
      CNI_PATH: this.folder,
      CNI_ARGS: args,
    };
  }

  call(argv: readonly string[], command: string, containerID: string, call: Call = {}): Promise<Answer> {
    const environment = this.environment(command, containerID, call);
    const options = call.started === undefined ? {} : { started: call.started };
    return run(argv, { environment, stdin: this.configuration(call), ...options });
  }

  write(name: string, text: string): void {
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(join(this.directory, name), text);
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  /** Everything in the directory. */
  files(): string[] {
    return readdirSync(this.directory).sort();
  }

  /** The addresses that have a file. */
  leases(): string[] {
    return this.files().filter((name) => name !== 'lock' && !name.startsWith('last_reserved_ip.'));
  }

  [Symbol.dispose](): void {
    const stats = statSync(this.directory, { throwIfNoEntry: false });
    if (stats) rmSync(`/run/cni-debug/host-local/${stats.dev}-${stats.ino}.index`, { force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }
}
