import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, run } from '../program.ts';
import { reference } from '../root/implementations.ts';
import { snapshotOf } from '../root/snapshot.ts';

const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
const dist = join(import.meta.dir, '../../dist');
let made = 0;

/** A container that runs, and the `ctr run` that stays with it until it ends. */
export interface Container {
  readonly name: string;
  /** How `ctr run` ended, after DEL: its status is the container's. */
  readonly ended: Promise<{ readonly status: number | null; readonly errors: string }>;
}

/**
 * A node with a containerd of its own, all in namespaces: `node.sh` says how. For `await using`: all of it goes away;
 * so it does when the test is killed.
 */
export class ContainerdNode {
  private readonly cgroup: string;
  private readonly script: ChildProcess;
  private readonly closed: Promise<unknown[]>;
  private pid = 0;
  private output = '';

  private constructor() {
    made += 1;
    this.cgroup = `cni-debug-test-${process.pid}-${made}`;
    const argv = ['sh', join(import.meta.dir, 'node.sh'), dist, reference.folder, this.cgroup];
    this.script = spawn('unshare', ['--mount', '--net', ...argv], { env: { PATH } });
    this.script.stderr?.on('data', (chunk) => (this.output += chunk));
    this.closed = once(this.script, 'close');
  }

  static async start(): Promise<ContainerdNode> {
    const node = new ContainerdNode();
    node.pid = Number(await firstLine(node.script));
    if (node.pid > 0) return node;
    await node.closed;
    throw new Error(`the node did not start: ${node.output}`);
  }

  /** Where this process reaches a file of the node. */
  path(path: string): string {
    return join(`/proc/${this.pid}/root`, path);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  write(path: string, text: string): void {
    writeFileSync(this.path(path), text);
  }

  /**
   * What the containers that are started from now on are attached to: `ctr` reads the first file there is when it
   * starts. Others stand behind it: of these only we know.
   */
  configure(conflist: object, file = '10-test.conflist'): void {
    this.write(`/etc/cni/net.d/${file}`, JSON.stringify(conflist));
  }

  /** Runs a command on the node; what it prints. Throws when it fails. */
  async run(...argv: string[]): Promise<string> {
    const { status, signal, stdout, stderr } = await run(this.inside(argv), { environment: { PATH } });
    if (status === 0) return stdout;
    throw new Error(`${argv.join(' ')}: ${signal ?? `status ${status}`}: ${stdout}${stderr}`);
  }

  /** Runs a verb of the command line on the node, as its operator does. */
  cniDebug(...words: string[]): Promise<Answer> {
    return run(this.inside(['/opt/cni/bin/cni-debug', ...words]), { environment: { PATH } });
  }

  /** Starts a container that serves its name over HTTP, on port 80; it runs when this returns. */
  async container(name: string): Promise<Container> {
    const rootfs = `/run/node/containers/${name}`;
    const folders = ['bin', 'dev', 'proc', 'sys', 'www'].map((folder) => `${rootfs}/${folder}`);
    await this.run('mkdir', '-p', ...folders);
    await this.run('cp', '/run/node/busybox', `${rootfs}/bin/busybox`);
    this.write(`${rootfs}/www/index.html`, name);
    const files = ['--pid-file', `${rootfs}.pid`, '--cgroup', `/${this.cgroup}/${name}`];
    const options = ['--rm', '--rootfs', '--cni', ...files];
    const command = ['/bin/busybox', 'sh', '-c', 'echo runs; exec /bin/busybox httpd -f -h /www'];
    const [nsenter = '', ...argv] = this.inside([...ctr, 'run', ...options, rootfs, name, ...command]);
    const child = spawn(nsenter, argv, { env: { PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk) => (errors += chunk));
    const ended = once(child, 'close').then(([status]) => ({ status, errors }));
    if ((await firstLine(child)) !== 'runs')
      throw new Error(`container ${name} did not start: ${(await ended).errors}`);
    return { name, ended };
  }

  /** Runs a command of busybox in a container. Throws when it fails; what a short one prints gets lost in `ctr`. */
  async inContainer({ name }: Container, ...argv: string[]): Promise<void> {
    made += 1;
    await this.run(...ctr, 'task', 'exec', '--exec-id', `e${made}`, name, '/bin/busybox', ...argv);
  }

  /** Runs a command of the node in a container's network; what it prints. Throws when it fails. */
  inNetworkOf(container: Container, ...argv: string[]): Promise<string> {
    return this.run('nsenter', `--net=/proc/${this.processOf(container)}/ns/net`, ...argv);
  }

  /** The id of its first process, as the node sees it. */
  processOf({ name }: Container): string {
    return this.read(`/run/node/containers/${name}.pid`).trim();
  }

  async addressOf(container: Container, ifName = 'eth0'): Promise<string> {
    const line = await this.inNetworkOf(container, 'ip', '-4', '-o', 'addr', 'show', ifName);
    return / inet ([\d.]+)\//.exec(line)?.[1] ?? '';
  }

  /**
   * Kills a container and waits until `ctr run` has cleaned up after it; the status. Throws when that complains. Not by
   * `ctr task kill`, whose answer can get lost with the end of the shim.
   */
  async end(container: Container): Promise<number | null> {
    const { name, ended } = container;
    await this.run('sh', '-c', 'kill -KILL "$0"', this.processOf(container));
    const { status, errors } = await ended;
    await this.run('sh', '-c', untilShimIsGone, name);
    if (errors !== '') throw new Error(`container ${name} ended, but: ${errors}`);
    return status;
  }

  /** The network, the files that are not the machine's, the processes and the mounts: what a container may leave. */
  async snapshot(): Promise<string[]> {
    const files = await this.run('find', '/run', ...butContainerds.split(' '));
    const processes = await this.run('ps', '-e', '-o', 'stat=,comm=');
    // That of `ps` itself, and of what was not waited for yet.
    const isSeen = (line: string) => /^Z| (nsenter|ps)$/.test(line);
    return [
      ...snapshotOf(`/proc/${this.pid}/ns/net`),
      ...lines(files).map((path) => `file ${path}`),
      ...lines(processes).flatMap((line) => (isSeen(line) ? [] : `process ${line.split(/ +/)[1]}`)),
      ...lines(this.read('/proc/1/mounts')).map((mount) => `mount ${mount}`),
    ].sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.script.stdin?.end();
    const [status] = await this.closed;
    if (status !== 0) throw new Error(`the node ended with status ${status}: ${this.output}`);
  }

  private inside(argv: readonly string[]): string[] {
    return ['nsenter', '--target', String(this.pid), '--mount', '--net', '--pid', ...argv];
  }
}

const ctr = ['ctr', '--address', '/run/node/containerd.sock'];
const butContainerds =
  '-mindepth 1 ( -path /run/node/containerd -o -path /run/node/containers -o -name work ) -prune -o -print';

/** It ends a moment after `ctr run`, of which it is no child; a loop without end goes away with the node. */
const untilShimIsGone = 'while pgrep -f "containerd-shim.* -id $0 " >/dev/null; do sleep 0.05; done';

/** The first line of what it prints; `''` when it ends without one. */
function firstLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stdout?.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    stdout?.on('close', () => resolve(''));
  });
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
