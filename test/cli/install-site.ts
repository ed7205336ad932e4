import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, executable, type Run, run } from '../program.ts';

/** As flanneld's manifest has it. */
export const flannel = `{ "name": "cbr0", "cniVersion": "0.3.1", "plugins": [
    { "type": "flannel", "delegate": { "hairpinMode": true, "isDefaultGateway": true } },
    { "type": "portmap", "capabilities": { "portMappings": true } } ] }
`;

/** The same with debug in it. */
export const debugged = flannel.replace(
  '    { "type": "portmap"',
  '    { "type": "debug" },\n    { "type": "portmap"',
);

/** A folder of plugins and one of conflists, of a test's own; for `using`. */
export class InstallSite {
  readonly folder: string;
  readonly bin: string;
  readonly net: string;
  readonly conflist: string;

  /** `parent`: where it lies. */
  constructor(parent = tmpdir()) {
    this.folder = mkdtempSync(join(parent, 'cni-debug-test-'));
    this.bin = join(this.folder, 'opt/cni/bin');
    this.net = join(this.folder, 'net.d');
    this.conflist = join(this.net, '10-flannel.conflist');
    mkdirSync(this.net);
    this.write('net.d/10-flannel.conflist', flannel, 0o640);
  }

  /** A file that was written a while ago; its path. */
  write(name: string, text: string, mode = 0o644): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    utimesSync(path, 1_700_000_000, 1_700_000_000.5);
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  /** The folder of plugins, with a `debug` of somebody else in it. */
  makeBin(): void {
    mkdirSync(this.bin, { recursive: true });
    this.write('opt/cni/bin/debug', '#!/bin/sh\nexit 7\n', 0o750);
    this.write('opt/cni/bin/bridge', '#!/bin/sh\nexit 8\n', 0o755);
  }

  install(...words: string[]): Promise<Answer> {
    return this.call([executable.BIN, 'install', '--plugin-dir', this.bin, ...words]);
  }

  uninstall(...words: string[]): Promise<Answer> {
    return this.call([executable.BIN, 'uninstall', '--plugin-dir', this.bin, ...words]);
  }

  call(argv: readonly string[], terms: Run = {}): Promise<Answer> {
    return run(argv, { ...terms, environment: { NETCONFPATH: this.net, ...terms.environment } });
  }

  /** This executable as another version would be: other bytes, of which nothing is read when it is started. */
  otherVersion(): string {
    const path = join(this.folder, `cni-debug-version-${readdirSync(this.folder).length}`);
    copyFileSync(executable.BIN, path);
    // The padding of ELF's identification.
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.from([readdirSync(this.folder).length]), 0, 1, 15);
    closeSync(fd);
    return path;
  }

  /** Everything that lies here but for other versions, a line each: kind, mode, owner, time, content. */
  listing(): string[] {
    return listing(this.folder).filter((line) => !line.startsWith('cni-debug-version-'));
  }

  /** The names in the folder of plugins, and in that of conflists. */
  names(): string[] {
    return this.listing()
      .map((line) => line.split(' ')[0] ?? '')
      .filter((name) => name.startsWith('opt/cni/bin/') || name.startsWith('net.d/'))
      .map((name) => name.replace('opt/cni/bin/', ''));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function listing(folder: string, prefix = ''): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const { mode, uid, gid, mtimeMs } = lstatSync(path);
      const line = `${prefix}${name} ${mode.toString(8)} ${uid}:${gid}`;
      const stats = lstatSync(path);
      // A folder's time changes with every name in it.
      if (stats.isDirectory()) return [line, ...listing(path, `${prefix}${name}/`)];
      if (stats.isSymbolicLink()) return [`${line} ${mtimeMs} -> ${readlinkSync(path)}`];
      return [`${line} ${mtimeMs} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`];
    });
}
