// How long ADD and DEL of host-local take with 0, 1,000 and 60,000 leases, beside the reference in the same run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { referencePath } from '../program.ts';

const runs = Number(process.env.RUNS ?? 21);
const folder = mkdtempSync(join(tmpdir(), 'cni-debug-bench-'));
const ours = join(import.meta.dir, '../../dist/bin/host-local');
const reference = referencePath
  .map((path) => `${path}/host-local`)
  .find((path) => spawnSync('test', ['-x', path]).status === 0);
if (reference === undefined) throw new Error(`no reference host-local in ${referencePath.join(', ')}`);

try {
  console.log(`medians of ${runs} calls in ms, one after the other: ours, reference, ratio`);
  for (const leases of [0, 1_000, 60_000]) {
    // A directory for each, because a change by the one makes the other's knowledge old.
    const pools = [ours, reference].map((executable, index) => ({
      executable,
      network: `n${leases}-${index}`,
    }));
    for (const { network } of pools) fill(network, leases);
    // The first call of ours reads all leases, and nobody else's change makes it do so again.
    for (const command of ['ADD', 'DEL']) call(ours, `n${leases}-0`, command);
    const times = pools.map(() => ({ ADD: [] as number[], DEL: [] as number[] }));
    for (let run = 0; run < runs; run += 1) {
      for (const command of ['ADD', 'DEL'] as const) {
        for (const [index, { executable, network }] of pools.entries()) {
          times[index]?.[command].push(call(executable, network, command));
        }
      }
    }
    for (const command of ['ADD', 'DEL'] as const) {
      const [one = 0, other = 0] = times.map((taken) => median(taken[command]));
      const numbers = [one.toFixed(1), other.toFixed(1), (one / other).toFixed(2)];
      console.log(`${leases} leases, ${command}:`.padEnd(22), ...numbers.map((text) => text.padStart(8)));
    }
  }
} finally {
  for (const name of readdirSync(folder)) {
    const { dev, ino } = statSync(join(folder, name));
    rmSync(`/run/cni-debug/host-local/${dev}-${ino}.index`, { force: true });
  }
  rmSync(folder, { recursive: true, force: true });
}

function fill(network: string, leases: number): void {
  const directory = join(folder, network);
  mkdirSync(directory);
  for (let number = 2; number < leases + 2; number += 1) {
    const owner = `${String(number).padStart(64, '0')}\r\neth0`;
    writeFileSync(join(directory, `10.22.${number >> 8}.${number & 255}`), owner, { mode: 0o600 });
  }
  if (leases > 0) {
    const last = leases + 1;
    writeFileSync(join(directory, 'last_reserved_ip.0'), `10.22.${last >> 8}.${last & 255}`);
  }
}

/** ms from start to exit. */
function call(executable: string, name: string, command: string): number {
  const ipam = { type: 'host-local', subnet: '10.22.0.0/16', dataDir: folder };
  const input = JSON.stringify({ cniVersion: '1.0.0', name, type: 'bench', ipam });
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: 'bench',
    CNI_IFNAME: 'eth0',
    CNI_NETNS: '/x',
    CNI_PATH: '/x',
  };
  const start = performance.now();
  const { status, stdout } = spawnSync(executable, [], { input, env, encoding: 'utf8' });
  const duration = performance.now() - start;
  if (status !== 0) throw new Error(`${executable} ${command}: ${stdout}`);
  return duration;
}

function median(times: readonly number[]): number {
  return [...times].sort((one, other) => one - other)[times.length >> 1] ?? Number.NaN;
}
