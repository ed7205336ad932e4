import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the packages of the reference plugins may be; the newest first. */
export const referencePath = ['/opt/reference-cni/bin', '/usr/lib/cni'];

const dist = join(import.meta.dir, '..', 'dist');

/** Our own plugins, under all of their names. */
export const builtInPath = join(dist, 'bin');

/** What to copy to a place that is not hidden when a test mounts something over the checkout. */
export const executable = { BIN: join(dist, 'cni-debug'), KOFFI: join(dist, 'koffi.node') };

/** The executable under its plugin name, and the same program under Node. */
export const debug = [join(dist, 'bin', 'debug')];
export const programs: [string, string[]][] = [
  ['executable', debug],
  ['node', ['node', join(dist, 'cni-debug.cjs')]],
];

export interface Answer {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly environment?: Record<string, string>;
  /** Written and closed; `'open'` leaves stdin open with nothing on it. */
  readonly stdin?: string | Buffer | 'open';
  readonly cwd?: string;
  /** Called when the process has been started. */
  readonly started?: (pid: number) => void;
}

/** Runs a program to its end, with no environment but the one given. */
export function run(
  argv: readonly string[],
  { environment = {}, stdin = '', cwd, started }: Run = {},
): Promise<Answer> {
  const [command = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { PATH: process.env.PATH, ...environment }, cwd });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += chunk));
    child.stderr.on('data', (chunk) => (output.stderr += chunk));
    child.stdin.on('error', () => {});
    if (stdin !== 'open') child.stdin.end(stdin);
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, ...output }));
    if (child.pid !== undefined) started?.(child.pid);
  });
}

/** One call of the debug plugin with logs of its own. */
export class Scratch {
  readonly folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
  readonly log = join(this.folder, 'cni_output.log');
  readonly journal = join(this.folder, 'journal.ndjson');

  /** The keys that every configuration of a test has, and those given. */
  configuration(keys: Record<string, unknown> = {}): string {
    const base = {
      cniVersion: '1.0.0',
      name: 'net',
      type: 'debug',
      cniOutput: this.log,
      journal: { path: this.journal },
    };
    return JSON.stringify({ ...base, ...keys });
  }

  environment(command: string, variables: Record<string, string> = {}): Record<string, string> {
    const base = {
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/none',
      CNI_IFNAME: 'eth0',
      CNI_PATH: this.folder,
    };
    return { CNI_COMMAND: command, ...base, ...variables };
  }

  call(
    command: string,
    keys: Record<string, unknown> = {},
    variables: Record<string, string> = {},
    argv = debug,
  ) {
    return run(argv, { environment: this.environment(command, variables), stdin: this.configuration(keys) });
  }

  /** Every record of the journal, in order. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads a record as the operator's jq does.
  records(): any[] {
    return readFileSync(this.journal, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * The places where a call is recorded whose stdin names no log, as files of this test's own: what the command runs in
 * has its own /tmp and /var/log. Only for root; for `using`.
 */
export class DefaultLogs extends Scratch {
  private readonly root = join(this.folder, 'run');
  override readonly log = join(this.root, 'tmp', 'cni_output.log');
  override readonly journal = join(this.root, 'log', 'cni-debug', 'journal.ndjson');

  constructor() {
    super();
    for (const name of ['dist', 'log', 'tmp']) mkdirSync(join(this.root, name), { recursive: true });
    chmodSync(join(this.root, 'tmp'), 0o1777);
  }

  /** The program, or another command with it; its process is the one that is started, so signals reach it. */
  command(argv: readonly string[]): string[] {
    // The checkout and the scratch folder may lie in /tmp themselves: from /run they can still be reached.
    const script = `set -e
      mount --bind "$0" "$1/dist"; mount --rbind "$1" /run
      mount --bind /run/log /var/log; mount --bind /run/tmp /tmp
      shift; exec "$@"`;
    const moved = argv.map((word) => (word.startsWith(`${dist}/`) ? word.replace(dist, '/run/dist') : word));
    return ['unshare', '-m', 'sh', '-c', script, dist, this.root, ...moved];
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

/** The one JSON value on stdout, and that there is no other. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export function answered({ stdout }: Answer): any {
  return JSON.parse(stdout);
}

export const prevResult = {
  cniVersion: '1.0.0',
  interfaces: [{ name: 'cni0' }, { name: 'eth0', mac: '0a:58:0a:16:00:05', sandbox: '/run/netns/none' }],
  ips: [{ address: '10.22.0.5/16', gateway: '10.22.0.1', interface: 1 }],
  routes: [{ dst: '0.0.0.0/0' }],
};
