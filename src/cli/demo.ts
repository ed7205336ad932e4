import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { stringifyJson } from '../cni/json.ts';
import { openTrace } from '../cni/trace-context.ts';
import { createNamespace, removeNamespace } from '../kernel/named-namespace.ts';
import { listLinks } from '../kernel/netlink/link.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import { enterNamespace, type Namespace, openNamespace } from '../kernel/netns.ts';
import {
  addNetworkList,
  checkNetworkList,
  delNetworkList,
  type RuntimeConfiguration,
} from '../runtime/network-list.ts';
import { programPath } from '../runtime/this-program.ts';
import { recordsFromEnd } from '../trace/journal-reader.ts';
import { prettyRecord } from '../trace/pretty.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { paintFor, say } from './terminal.ts';
import { act, verb } from './verb.ts';

export function demoCommand() {
  return verb('demo', 'run a chain in a scratch namespace, and show its records', [
    ['demo', 'needs root; the machine is left as it was'],
  ]).action(act(demo));
}

/**
 * Runs a chain through two scratch namespaces, one in the part of a node and one in that of a pod, so that the machine's
 * own network is not touched. They are taken away whatever happens. Exit status as the command line's.
 */
async function demo(): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new CommandFailure(ExitStatus.unknown, 'makes network namespaces, so it must be run as root');
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  const folder = mkdtempSync(join(tmpdir(), 'cni-debug-demo-'));
  const paths = ['node', 'pod'].map((part) => `/run/netns/cni-debug-demo-${process.pid}-${part}`);
  try {
    for (const path of paths) createNamespace(path);
    const [node, pod] = paths.map(openNamespace) as [Namespace, Namespace];
    // What is started from now on lives on that node, the plugins above all.
    enterNamespace(node);
    return await runChain(pod, folder, ending.signal);
  } catch (error) {
    process.stderr.write(`cni-debug demo: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    for (const path of paths) removeNamespace(path);
    rmSync(folder, { recursive: true, force: true });
    say('The scratch namespaces are gone.\n');
  }
}

async function runChain(pod: Namespace, folder: string, signal: AbortSignal): Promise<number> {
  const list = demoList(folder);
  const runtime: RuntimeConfiguration = {
    containerID: 'demo',
    netns: pod.path,
    ifName: 'eth0',
    args: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx',
    cniPath: pluginFolder(folder),
    cacheDir: join(folder, 'cache'),
    timeoutMs: 30_000,
    trace: openTrace(process.env),
    signal,
  };
  say(`Network "${list.name}": "debug" as the bridge itself, for a pod in ${pod.path}\n\n`);
  try {
    const result = await addNetworkList(list, runtime);
    say(`ADD answered:\n${stringifyJson(result, '  ')}\n\n`);
    await checkNetworkList(list, runtime);
    await delNetworkList(list, runtime);
  } finally {
    showRecords(folder);
  }
  return proveNothingLeft(pod, folder);
}

/** Nothing, when the chain failed before it came to `debug`. */
function showRecords(folder: string): void {
  const journal = join(folder, 'journal.ndjson');
  const log = join(folder, 'cni_output.log');
  if (!existsSync(journal) || !existsSync(log)) return;
  say('What "debug" recorded of its calls:\n\n');
  const records = [...recordsFromEnd(journal)].filter(({ kind }) => kind === 'call').reverse();
  for (const record of records) say(prettyRecord(record, { paint: paintFor(), steps: true }));
  const [first = ''] = readFileSync(log, 'utf8').split('-----\n');
  say(`\nThe first of them in the text log:\n${first}-----\n\n`);
}

/** By the kernel and the disk, not by what the plugins say. */
function proveNothingLeft(pod: Namespace, folder: string): number {
  const links = (where?: Namespace) => {
    const socket = openRouteSocket(where);
    const names = listLinks(socket).map(({ name }) => name);
    socket.close();
    return names;
  };
  const inPod = links(pod).filter((name) => name !== 'lo');
  const onNode = links().filter((name) => name.startsWith('veth'));
  const leases = readdirSync(join(folder, 'leases', 'demo')).filter((name) => /^[0-9]/.test(name));
  say(
    `After DEL: interfaces in the pod: ${inPod.length}, veths on the node: ${onNode.length}, leases: ${leases.length}\n`,
  );
  return inPod.length + onNode.length + leases.length === 0 ? 0 : 1;
}

/** All that it needs is in this program: with `ipam`, `debug` is a bridge, and host-local is built in. */
function demoList(folder: string): NetworkList {
  const debug = {
    type: 'debug',
    cniOutput: join(folder, 'cni_output.log'),
    journal: { path: join(folder, 'journal.ndjson') },
    ...{ bridge: 'cni0', isGateway: true, ipMasq: true },
    ipam: {
      type: 'host-local',
      dataDir: join(folder, 'leases'),
      ranges: [[{ subnet: '10.22.0.0/16' }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  };
  return parseConflist(JSON.stringify({ cniVersion: '1.0.0', name: 'demo', plugins: [debug] }));
}

/** A folder for CNI_PATH that has this program, under the name of the plugin. */
function pluginFolder(folder: string): string {
  const path = join(folder, 'bin');
  mkdirSync(path);
  symlinkSync(programPath(), join(path, 'debug'));
  return path;
}
