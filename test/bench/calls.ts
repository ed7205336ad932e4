import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNamespace, removeNamespace } from '../../src/kernel/named-namespace.ts';
import { enterNamespace, openNamespace } from '../../src/kernel/netns.ts';
import type { Implementation } from '../root/implementations.ts';
import { removeLeaseIndexes } from '../root/site.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations and results are read as JSON.
type Json = any;

let made = 0;

/** A call of a plugin, ready to be started: all that is not the plugin's own time is done before. */
export interface Prepared {
  readonly argv: readonly string[];
  readonly environment: Record<string, string>;
  readonly stdin: string;
  readonly stdout: string;
}

/**
 * A node and its pods, each a network namespace; this process moves into the node's, and with it all that it starts.
 * For `using`: all of it goes away.
 */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'cni-debug-bench-'));
  private readonly namespaces: string[] = [];
  private readonly number = made++;
  private readonly node = this.namespace('node');
  private calls = 0;

  constructor() {
    this.enter();
  }

  /** Moves this process into the node, after it was in another one's. */
  enter(): void {
    const node = openNamespace(this.node);
    enterNamespace(node);
    node.close();
  }

  /** The path of a new network namespace. */
  namespace(name: string): string {
    const path = `/run/netns/cni-debug-bench-${process.pid}-${this.number}-${name}`;
    createNamespace(path);
    this.namespaces.push(path);
    return path;
  }

  prepare(command: string, by: Implementation, configuration: Json, netns: string): Prepared {
    this.calls += 1;
    const [stdin, stdout] = ['in', 'out'].map((end) => join(this.folder, `${this.calls}.${end}`)) as [
      string,
      string,
    ];
    writeFileSync(stdin, JSON.stringify(configuration));
    const environment = {
      PATH: by.path,
      CNI_COMMAND: command,
      CNI_CONTAINERID: netns.slice(netns.lastIndexOf('/') + 1),
      CNI_NETNS: netns,
      CNI_IFNAME: 'eth0',
      CNI_PATH: by.folder,
    };
    return { argv: [join(by.folder, configuration.type)], environment, stdin, stdout };
  }

  /** Fills a lease directory with addresses from 10.<second>.0.2 on, as the reference writes them. */
  fill(folder: string, second: number, count: number): void {
    mkdirSync(folder, { recursive: true });
    const address = (index: number) => `10.${second + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
    for (let index = 2; index < count + 2; index += 1) {
      writeFileSync(join(folder, address(index)), `somebody-${index}\r\neth0`, { mode: 0o600 });
    }
    if (count > 0) writeFileSync(join(folder, 'last_reserved_ip.0'), address(count + 1));
  }

  [Symbol.dispose](): void {
    for (const path of this.namespaces) removeNamespace(path);
    for (const name of ['reference', 'ours', 'leases']) removeLeaseIndexes(join(this.folder, name));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs it from start to exit; in milliseconds. Throws with what it answered when it fails. */
export function run({ argv, environment, stdin, stdout }: Prepared): number {
  const files = [openSync(stdin, 'r'), openSync(stdout, 'w')] as const;
  const startedAt = performance.now();
  const { exitCode } = Bun.spawnSync([...argv], { env: environment, stdio: [files[0], files[1], 'ignore'] });
  const durationMs = performance.now() - startedAt;
  for (const file of files) closeSync(file);
  if (exitCode !== 0)
    throw new Error(`${argv[0]} ${environment.CNI_COMMAND}: ${readFileSync(stdout, 'utf8')}`);
  return durationMs;
}

/** Runs it without waiting for it. Throws with what it answered when it fails. */
export async function start({ argv, environment, stdin, stdout }: Prepared): Promise<void> {
  const files = [openSync(stdin, 'r'), openSync(stdout, 'w')] as const;
  const child = Bun.spawn([...argv], { env: environment, stdio: [files[0], files[1], 'ignore'] });
  for (const file of files) closeSync(file);
  if ((await child.exited) !== 0)
    throw new Error(`${argv[0]} ${environment.CNI_COMMAND}: ${readFileSync(stdout, 'utf8')}`);
}

/** Runs all of them, some at once, from the first start to the last exit; in milliseconds. */
export async function runTogether(tasks: readonly (() => Promise<void>)[], atOnce: number): Promise<number> {
  const waiting = [...tasks];
  const startedAt = performance.now();
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return performance.now() - startedAt;
}

/** What it answered, as the `prevResult` of the next call. */
export function answerOf({ stdout }: Prepared): Json {
  return JSON.parse(readFileSync(stdout, 'utf8'));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
