// How long the chain of `bridge` with `ipMasq` and `portmap` with one port takes, driven as a runtime does: the
// reference with both of its backends, ours in its place, and ours as one call of `debug`, in turns. RUNS=<n> for the
// number of runs, ONLY=<words> for one of the tables, PLUGINS=<folder> for another build.
import { join } from 'node:path';
import { ours, reference } from '../root/implementations.ts';
import { median } from './calls.ts';
import { type Contender, Site } from './chain-site.ts';

// biome-ignore lint/suspicious/noExplicitAny: a configuration is written as JSON.
type Json = any;

const noLogs = { cniOutput: '', journal: false };
const contenders: readonly Contender[] = [
  { name: 'reference, iptables', by: reference, calls: withBackend('iptables') },
  // DEL with nftables also asks iptables, and fails where that is of nftables and knows no such chain.
  { name: 'reference, nftables', by: reference, program: 'nft', calls: withBackend('nftables') },
  { name: 'ours, executables', by: ours, calls: (_, ...both) => both },
  { name: 'ours, one list', by: ours, calls: ({ folder }, ...both) => [oneList(both, logsIn(folder))] },
  { name: 'ours, one list, no logs', by: ours, calls: (_, ...both) => [oneList(both, noLogs)] },
];
const references = contenders.filter(({ by }) => by === reference).map(({ name }) => name);
const runs = Number(process.env.RUNS ?? 50);

console.log(
  'medians in ms, and the ratio to each backend of the reference; in brackets the lowest, and its ratio',
);
await table('chain', 5, (sites) => {
  // The first ones make the bridge, the tables and the index; nobody measures them.
  for (let round = -3; round < runs; round += 1) {
    for (const site of sites) site.oneByOne((round + 3) % 5, round >= 0);
  }
});
await table('chain, 30 attachments, 10 at once', 30, async (sites) => {
  for (let round = -1; round < Math.ceil(runs / 10); round += 1) {
    for (const site of sites) await site.allAtOnce(10, round >= 0);
  }
});

function withBackend(backend: string): Contender['calls'] {
  return (_, bridge, portmap) => [
    { ...bridge, ipMasqBackend: backend },
    { ...portmap, backend },
  ];
}

function oneList([bridge, portmap]: Json[], logs: Json): Json {
  const { cniVersion, name, runtimeConfig, capabilities } = portmap;
  const delegate = [bridge, { type: 'portmap', capabilities }];
  return { cniVersion, name, type: 'debug', capabilities, runtimeConfig, ...logs, delegate };
}

/** Both logs as they are by default, but for their places. */
function logsIn(folder: string): Json {
  return { cniOutput: join(folder, 'cni_output.log'), journal: { path: join(folder, 'journal.ndjson') } };
}

/** Measures all contenders on nodes with so many pods each, and prints what came of it. */
async function table(name: string, pods: number, measure: (sites: Site[]) => unknown): Promise<void> {
  if (!name.includes(process.env.ONLY ?? '')) return;
  const sites: Site[] = [];
  try {
    for (const contender of contenders) sites.push(new Site(contender, pods));
    await measure(sites);
    print(name, sites);
  } finally {
    for (const site of sites) site[Symbol.dispose]();
  }
}

function print(title: string, sites: readonly Site[]): void {
  for (const command of ['ADD', 'DEL', 'ADD and DEL'] as const) {
    for (const { name, times } of sites) {
      const ms = times[command];
      const ratios = sites
        .filter((site) => references.includes(site.name))
        .map(({ times: { [command]: their } }) => {
          const ratio = (median(ms) / median(their)).toFixed(2).padStart(6);
          return `${ratio} [${(Math.min(...ms) / Math.min(...their)).toFixed(2)}]`;
        });
      const own = `${median(ms).toFixed(1).padStart(8)} [${Math.min(...ms)
        .toFixed(1)
        .padStart(6)}]`;
      console.log(`${title}, ${command}`.padEnd(46), name.padEnd(24), own, ...ratios, ` ${ms.length} runs`);
    }
  }
}
