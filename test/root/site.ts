import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createNamespace, removeNamespace } from '../../src/kernel/named-namespace.ts';
import { type Answer, answered, Scratch } from '../program.ts';
import { type Implementation, ours } from './implementations.ts';
import { commandIn, startIn } from './namespace-command.ts';
import { leaseLines, snapshotOf } from './snapshot.ts';

let made = 0;

/** What distinguishes one call from another; the rest is the site's. */
export interface Call {
  readonly by?: Implementation;
  readonly pod?: Pod;
  readonly containerID?: string;
  /** `''` leaves CNI_NETNS away. */
  readonly netns?: string;
  readonly ifName?: string;
  /** CNI_ARGS. */
  readonly args?: string;
  /** Folders for CNI_PATH behind the implementation's own. */
  readonly searched?: readonly string[];
  /** The plugin's PATH, without the programs it must not find. */
  readonly path?: string;
  /** A command that runs the plugin with fewer rights: the plugin's path is its last word. */
  readonly through?: readonly string[];
  readonly started?: (child: ChildProcess) => void;
}

export interface Pod {
  /** Also its container ID. */
  readonly name: string;
  /** The path of its network namespace. */
  readonly netns: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads an answer as JSON, and writes a configuration as such.
type Json = any;

/**
 * A node with pods, each a network namespace of this test's own, and a host outside of it; the plugins are started
 * as a runtime does, in the node's namespace. For `using`: all of it goes away.
 */
export class Site {
  readonly scratch = new Scratch();
  readonly leases = join(this.scratch.folder, 'leases');
  /** The path of the node's network namespace. */
  readonly node: string;
  readonly outside: string;
  private readonly prefix: string;
  private readonly namespaces: string[] = [];

  constructor() {
    made += 1;
    this.prefix = `cni-debug-test-${process.pid}-${made}`;
    this.node = this.namespace('node');
    this.outside = join('/run/netns', `${this.prefix}-outside`);
    commandIn(this.node, 'ip', 'link', 'set', 'lo', 'up');
  }

  /** A namespace as a runtime makes it: only a loopback interface, which is down. */
  pod(name = `pod${this.namespaces.length}`): Pod {
    return { name, netns: this.namespace(name) };
  }

  /** Takes a pod's namespace away, as when the container was removed before DEL. */
  removeNamespace({ netns }: Pod): void {
    removeNamespace(netns);
  }

  /**
   * A host at 192.0.2.2 and fd00:99::2, one veth away from the node (192.0.2.1, fd00:99::1), that knows no way to
   * any pod.
   */
  addOutside(): void {
    this.namespace('outside');
    const node = this.node.slice('/run/netns/'.length);
    const lines = (index: number) => [
      `addr add 192.0.2.${index}/24 dev up0`,
      `addr add fd00:99::${index}/64 dev up0 nodad`,
      'link set up0 up',
      'link set lo up',
    ];
    commandIn(this.outside, 'ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', node);
    for (const [netns, index] of [[this.node, 1] as const, [this.outside, 2] as const]) {
      for (const line of lines(index)) commandIn(netns, 'ip', ...line.split(' '));
    }
  }

  /** Runs a command on the node; what it prints. Throws when it fails. */
  onNode(...argv: string[]): string {
    return commandIn(this.node, ...argv);
  }

  inPod(pod: Pod, ...argv: string[]): string {
    return commandIn(pod.netns, ...argv);
  }

  /** A configuration of `bridge` whose leases are this site's: IPv4 from 10.50.0.0/16 unless `ipam` says otherwise. */
  configuration(keys: Json = {}): Json {
    const base = { cniVersion: '1.0.0', name: 'net', type: 'bridge', bridge: 'cni0' };
    return { ...base, ipam: this.ipam(['10.50.0.0/16']), ...keys };
  }

  /** host-local with one range set for each subnet. */
  ipam(subnets: readonly string[], keys: Json = {}): Json {
    const ranges = subnets.map((subnet) => [{ subnet }]);
    return { type: 'host-local', dataDir: this.leases, ranges, ...keys };
  }

  /** Starts a plugin in the node's namespace; it has been started when this returns. */
  call(command: string, configuration: Json, call: Call = {}): Promise<Answer> {
    const { by = ours, pod, ifName = 'eth0', args, searched = [], path = by.path } = call;
    const { containerID = pod?.name, netns = pod?.netns, through = [], started } = call;
    const environment = {
      PATH: path,
      CNI_COMMAND: command,
      CNI_PATH: [by.folder, ...searched].join(':'),
      ...(containerID === undefined ? {} : { CNI_CONTAINERID: containerID, CNI_IFNAME: ifName }),
      ...(netns ? { CNI_NETNS: netns } : {}),
      ...(args === undefined ? {} : { CNI_ARGS: args }),
    };
    const stdin = typeof configuration === 'string' ? configuration : JSON.stringify(configuration);
    const plugin = join(by.folder, configuration.type ?? 'bridge');
    return startIn(this.node, [...through, plugin], { environment, stdin, ...(started ? { started } : {}) });
  }

  /** ADD that must succeed: its result. */
  async add(configuration: Json, call: Call): Promise<Json> {
    return answered(succeeded(await this.call('ADD', configuration, call)));
  }

  /** DEL that must succeed, and say nothing on stdout. */
  async del(configuration: Json, call: Call): Promise<void> {
    const { stdout } = succeeded(await this.call('DEL', configuration, call));
    if (stdout.trim() !== '') throw new Error(`DEL answered ${stdout}`);
  }

  /**
   * ADD and DEL of one more pod, so that what is there for good (bridge, tables, forwarding, files of the pool) is in
   * the snapshot that this returns: what is more in a later one was left behind.
   */
  async warmUp(configuration: Json, call: Call = {}): Promise<string[]> {
    const pod = this.pod(`warm${this.namespaces.length}`);
    const prevResult = await this.add(configuration, { ...call, pod });
    await this.del({ ...configuration, prevResult }, { ...call, pod });
    return this.snapshot();
  }

  /** Any call that must fail: its error. */
  async fail(command: string, configuration: Json, call: Call = {}): Promise<Json> {
    const answer = await this.call(command, configuration, call);
    if (answer.status === 0) throw new Error(`${command} succeeded: ${answer.stdout}`);
    return answered(answer);
  }

  /** All that there is on the node: its namespace, and the leases. */
  snapshot(): string[] {
    return [...snapshotOf(this.node), ...leaseLines(this.leases)];
  }

  /** The addresses that are leased in a network. */
  leased(network = 'net'): string[] {
    const found = leaseLines(this.leases).map((line) => line.split(' '));
    return found
      .filter(([kind, name, file = '']) => kind === 'lease' && name === network && /^[0-9a-f.:]+$/.test(file))
      .map(([, , file = '']) => file);
  }

  /** Names of the interfaces in a namespace. */
  links(netns = this.node): string[] {
    return JSON.parse(commandIn(netns, 'ip', '-j', 'link')).map(({ ifname }: Json) => ifname);
  }

  [Symbol.dispose](): void {
    for (const netns of this.namespaces) removeNamespace(netns);
    removeLeaseIndexes(this.leases);
    rmSync(this.scratch.folder, { recursive: true, force: true });
  }

  private namespace(name: string): string {
    const path = join('/run/netns', `${this.prefix}-${name}`);
    createNamespace(path);
    this.namespaces.push(path);
    return path;
  }
}

/** What ours keeps elsewhere about the lease directories in a folder: a file each, in memory until the next boot. */
export function removeLeaseIndexes(folder: string): void {
  for (const network of existsSync(folder) ? readdirSync(folder) : []) {
    const { dev, ino } = statSync(join(folder, network));
    rmSync(`/run/cni-debug/host-local/${dev}-${ino}.index`, { force: true });
  }
}

/** The same answer, when its status is 0. */
export function succeeded(answer: Answer): Answer {
  if (answer.status === 0) return answer;
  throw new Error(`${answer.signal ?? `status ${answer.status}`}: ${answer.stdout}${answer.stderr}`);
}
