import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { executable, referencePath, Scratch } from '../program.ts';

let made = 0;

/** A network namespace that plays a node, and one that plays a pod on it: the machine's own network is not touched. */
export class Node {
  readonly scratch = new Scratch();
  readonly node: string;
  readonly pod: string;
  readonly netns: string;
  /** `debug` and the reference plugins, unless a test wants our own. */
  cniPath: string;

  constructor() {
    made += 1;
    this.node = `cni-debug-test-${process.pid}-${made}-node`;
    this.pod = `cni-debug-test-${process.pid}-${made}-pod`;
    this.netns = `/run/netns/${this.pod}`;
    const onlyDebug = join(this.scratch.folder, 'bin');
    mkdirSync(onlyDebug);
    symlinkSync(executable.BIN, join(onlyDebug, 'debug'));
    this.cniPath = [onlyDebug, ...referencePath].join(':');
    for (const namespace of [this.node, this.pod]) {
      shell(['ip', 'netns', 'add', namespace]);
      shell(['ip', '-n', namespace, 'link', 'set', 'lo', 'up']);
    }
  }

  remove(): void {
    for (const namespace of [this.pod, this.node]) shell(['ip', 'netns', 'del', namespace]);
    rmSync(this.scratch.folder, { recursive: true, force: true });
  }

  /** Runs a command on the node; what it prints. Throws when it fails. */
  onNode(...argv: string[]): string {
    return shell(['ip', 'netns', 'exec', this.node, ...argv]);
  }

  inPod(...argv: string[]): string {
    return shell(['ip', 'netns', 'exec', this.pod, ...argv]);
  }

  /** A file of conflists/, with logs and leases that are this test's own. */
  conflist(name: string): string {
    const document = JSON.parse(readFileSync(join(import.meta.dir, '../../conflists', name), 'utf8'));
    for (const plugin of document.plugins) {
      if (plugin.type === 'debug') {
        Object.assign(plugin, { cniOutput: this.scratch.log, journal: { path: this.scratch.journal } });
      }
      for (const { ipam } of [plugin, plugin.delegate ?? []].flat()) {
        if (ipam) ipam.dataDir = join(this.scratch.folder, 'leases');
      }
    }
    return JSON.stringify(document);
  }

  /** What the chain answered: a result, `null`, or an error. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the answer as JSON.
  chain(command: 'add' | 'check' | 'del', conflist: string): any {
    const runtime = {
      containerID: 'pod1',
      netns: this.netns,
      ifName: 'eth0',
      args: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx',
      capabilityArgs: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
      cniPath: this.cniPath,
      cacheDir: join(this.scratch.folder, 'cache'),
      timeoutMs: 60_000,
    };
    const words = [command, conflist, JSON.stringify(runtime)];
    return JSON.parse(this.onNode(process.execPath, join(import.meta.dir, 'chain-run.ts'), ...words));
  }

  /** Names of the interfaces in one of the two. */
  links(namespace: string): string[] {
    return JSON.parse(shell(['ip', '-n', namespace, '-j', 'link'])).map(
      ({ ifname }: { ifname: string }) => ifname,
    );
  }
}

function shell([command = '', ...args]: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}
