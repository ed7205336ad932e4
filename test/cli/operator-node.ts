import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, executable, type Run, run } from '../program.ts';
import { reference } from '../root/implementations.ts';
import { snapshotOf } from '../root/snapshot.ts';

const PATH = `/opt/cni/bin:${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
const dist = join(executable.BIN, '..');

/**
 * A node on which an operator types: with its own /etc/cni, /opt/cni, /var/lib/cni, /run and network (`node.sh` says
 * how), so that every default of the command line is true there. For `await using`: all of it goes away.
 */
export class OperatorNode {
  private readonly folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
  private readonly script: ChildProcess;

  private pid = 0;

  private constructor(private readonly hasProcesses: boolean) {
    const script = join(import.meta.dir, 'node.sh');
    const argv = ['sh', script, dist, this.folder, reference.folder, ...(hasProcesses ? ['processes'] : [])];
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    this.script = spawn('unshare', ['--mount', '--net', ...argv], { env: { PATH }, stdio: [...stdio] });
  }

  /**
   * With processes of its own, whoever looks through them sees all of them, and no others; the process that is started
   * for a command line is then not the command itself.
   */
  static async start({ hasProcesses = false } = {}): Promise<OperatorNode> {
    const node = new OperatorNode(hasProcesses);
    const failed = once(node.script, 'close').then(() => Promise.reject(new Error('the node did not start')));
    const [line] = await Promise.race([once(node.script.stdout as NodeJS.ReadableStream, 'data'), failed]);
    node.pid = Number(line);
    // When it is ended later, nobody waits for that.
    failed.catch(() => {});
    return node;
  }

  /** Where this process reaches a file of the node. */
  path(path: string): string {
    return join(`/proc/${this.pid}/root`, path);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  write(path: string, content: string | object): void {
    writeFileSync(this.path(path), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }

  /** Names in a folder; none where there is no folder. */
  files(path: string): string[] {
    return existsSync(this.path(path)) ? readdirSync(this.path(path)).sort() : [];
  }

  /** A file of the configuration directory. */
  configure(file: string, content: string | object): void {
    this.write(`/etc/cni/net.d/${file}`, content);
  }

  /** Types a command line of `cni-debug`; the process that is started is the command itself. */
  type(words: string | readonly string[], request: Run = {}): Promise<Answer> {
    const argv = typeof words === 'string' ? words.split(' ') : words;
    return this.start(['/opt/cni/bin/cni-debug', ...argv], request);
  }

  /** A command line that must end with 0: what it prints. */
  async typed(words: string | readonly string[], request: Run = {}): Promise<string> {
    const answer = await this.type(words, request);
    if (answer.status !== 0) throw new Error(`${words}: ${JSON.stringify(answer)}`);
    return answer.stdout;
  }

  /** Any other command on the node. */
  run(script: string): Promise<Answer> {
    return this.start(['sh', '-c', script]);
  }

  /** The same; what it prints. Throws when it fails. */
  async sh(script: string): Promise<string> {
    const { status, stdout, stderr } = await this.run(script);
    if (status === 0) return stdout;
    throw new Error(`${script}: status ${status}: ${stdout}${stderr}`);
  }

  /** A network namespace as a runtime makes one. */
  async pod(name: string): Promise<string> {
    await this.sh(`ip netns add ${name}`);
    return `/var/run/netns/${name}`;
  }

  /** All that an attachment may leave: links, addresses, routes and rules of the node, and files. */
  async snapshot(): Promise<string[]> {
    const folders = '/run/netns /var/lib/cni /etc/cni /opt/cni /tmp/cni-debug-none';
    const files = await this.sh(`find ${folders} ! -name 'last_reserved_ip.*' ! -type d 2>/dev/null || true`);
    return [...snapshotOf(`/proc/${this.pid}/ns/net`), ...files.split('\n').filter(Boolean).sort()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.script, 'close');
    this.script.stdin?.end();
    await closed;
    rmdirSync(this.folder);
  }

  private start(argv: readonly string[], { environment = {}, ...request }: Run = {}): Promise<Answer> {
    const pid = this.hasProcesses ? ['--pid'] : [];
    const inside = ['nsenter', '--target', String(this.pid), '--mount', '--net', ...pid, '--', ...argv];
    return run(inside, { ...request, environment: { PATH, ...environment } });
  }
}

/** A bridge network with addresses of its own, at the places that `cni-debug` looks at by default. */
export function bridgeNetwork(
  name: string,
  subnet: string,
  more: object[] = [],
  cniVersion = '1.1.0',
): object {
  const bridge = {
    ...{ type: 'bridge', bridge: `br-${name}`, isGateway: true, ipMasq: true },
    ipam: { type: 'host-local', subnet, routes: [{ dst: '0.0.0.0/0' }] },
  };
  return { cniVersion, name, plugins: [bridge, ...more] };
}

/** `debug` with its journal where it is by default, and no text log, which would be the machine's. */
export const debugPlugin = { type: 'debug', cniOutput: false };
