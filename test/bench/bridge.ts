// How long `bridge` takes from start to exit, ours and the reference in turns: plain, masqueraded, many at once, and
// with many leases. RUNS=<n> for the number of runs, ONLY=<words> for some of the tables, PLUGINS=<folder> for another
// build.
import { join } from 'node:path';
import { type Implementation, ours, reference } from '../root/implementations.ts';
import { answerOf, Bench, median, run, runTogether, start } from './calls.ts';

// biome-ignore lint/suspicious/noExplicitAny: a configuration is written as JSON.
type Json = any;
type Times = Record<'reference' | 'ours', number[]>;

const runs = Number(process.env.RUNS ?? 50);
const only = process.env.ONLY;
const both = [reference, ours];

console.log('medians in ms, and the ratio of ours to the reference; in brackets the lowest, and their ratio');
try {
  await table('plain', () => oneByOne('plain', {}, runs));
  await table('ipMasq', () => oneByOne('ipMasq', { ipMasq: true }, runs));
  await table('30 attachments, 10 at once', manyAtOnce);
  const lowest = { ADD: Number.NaN, DEL: Number.NaN };
  for (const leases of [0, 1000, 60_000]) {
    const name = `${leases.toLocaleString('en')} leases`;
    await table(name, () => {
      const times = oneByOne(name, {}, leases > 1000 ? Math.min(10, runs) : runs, leases);
      for (const command of ['ADD', 'DEL'] as const) {
        const own = median(times[command].ours);
        if (leases === 0) lowest[command] = own;
        else
          console.log(
            `${' '.repeat(28)}${name}, ${command}: ${(own / lowest[command]).toFixed(2)} times ours of none`,
          );
      }
    });
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}

/** ADD and DEL of one container after the other. */
function oneByOne(name: string, keys: Json, count: number, leases = 0): Record<'ADD' | 'DEL', Times> {
  using bench = new Bench();
  const netns = bench.namespace('pod');
  const times = { ADD: none(), DEL: none() };
  for (const by of both) bench.fill(join(leasesOf(bench, by), 'net'), secondOf(by), leases);
  // The first ones make the bridge, the tables and the index; nobody measures them.
  for (let index = leases > 1000 ? -1 : -3; index < count; index += 1) {
    for (const by of both) {
      const configuration = configurationOf(bench, by, keys);
      const add = bench.prepare('ADD', by, configuration, netns);
      const addMs = run(add);
      const del = bench.prepare('DEL', by, { ...configuration, prevResult: answerOf(add) }, netns);
      const delMs = run(del);
      if (index < 0) continue;
      times.ADD[by.name].push(addMs);
      times.DEL[by.name].push(delMs);
    }
  }
  const sum = none();
  for (const by of both)
    sum[by.name] = times.ADD[by.name].map((ms, index) => ms + (times.DEL[by.name][index] ?? 0));
  row(`${name}, ADD`, times.ADD);
  row(`${name}, DEL`, times.DEL);
  row(`${name}, ADD and DEL`, sum);
  return times;
}

async function manyAtOnce(): Promise<void> {
  using bench = new Bench();
  const pods = Array.from({ length: 30 }, (_, index) => bench.namespace(`pod${index}`));
  const times = { ADD: none(), DEL: none() };
  for (let round = -1; round < Math.ceil(runs / 10); round += 1) {
    for (const by of both) {
      const configuration = configurationOf(bench, by, {});
      const adds = pods.map((pod) => bench.prepare('ADD', by, configuration, pod));
      const addMs = await runTogether(
        adds.map((call) => () => start(call)),
        10,
      );
      const dels = pods.map((pod, index) => {
        const add = adds[index];
        return bench.prepare('DEL', by, { ...configuration, prevResult: add && answerOf(add) }, pod);
      });
      const delMs = await runTogether(
        dels.map((call) => () => start(call)),
        10,
      );
      if (round < 0) continue;
      times.ADD[by.name].push(addMs);
      times.DEL[by.name].push(delMs);
    }
  }
  row('30 attachments, 10 at once, ADD', times.ADD);
  row('30 attachments, 10 at once, DEL', times.DEL);
}

/** Each has a bridge, a network and leases of its own. */
function configurationOf(bench: Bench, by: Implementation, keys: Json): Json {
  return {
    cniVersion: '1.0.0',
    name: 'net',
    type: 'bridge',
    bridge: by.name,
    isGateway: true,
    ipam: {
      type: 'host-local',
      dataDir: leasesOf(bench, by),
      ranges: [[{ subnet: `10.${secondOf(by)}.0.0/14` }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
    ...keys,
  };
}

/** The second byte of its subnet. */
function secondOf(by: Implementation): number {
  return by === ours ? 64 : 68;
}

function leasesOf({ folder }: Bench, { name }: Implementation): string {
  return join(folder, name);
}

async function table(name: string, measure: () => unknown): Promise<void> {
  if (only === undefined || name.includes(only)) await measure();
}

function row(name: string, times: Times): void {
  const [their, our] = [times.reference, times.ours];
  const cell = (ms: number[]) =>
    `${median(ms).toFixed(1).padStart(8)} [${Math.min(...ms)
      .toFixed(1)
      .padStart(6)}]`;
  const ratio = (median(our) / median(their)).toFixed(2).padStart(6);
  const lowest = `[${(Math.min(...our) / Math.min(...their)).toFixed(2).padStart(5)}]`;
  console.log(
    `${name.padEnd(34)} reference${cell(their)}  ours${cell(our)} ${ratio} ${lowest}  ${our.length} runs`,
  );
}

function none(): Times {
  return { reference: [], ours: [] };
}
