// How soon `cni-debug logs` shows what is asked of 1,000,000 records, and how much memory it takes for that, beside a
// tenth of them. `bun test/bench/logs.ts [folder]`; takes 2 GB there.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { executable } from '../program.ts';
import { containerIDOf, journalLine } from '../trace/journal-lines.ts';

const runs = 5;
const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'cni-debug-bench-'));

function makeJournal(name: string, count: number): string {
  const path = join(folder, name);
  const fd = openSync(path, 'w');
  let text = '';
  for (let number = 0; number < count; number += 1) {
    text += `${journalLine(number)}\n`;
    if (text.length < 4e6 && number < count - 1) continue;
    writeSync(fd, text);
    text = '';
  }
  closeSync(fd);
  return path;
}

interface Measured {
  /** ms from the start of the process. */
  readonly first: number;
  readonly all: number;
  /** ms of processor time; what others on this machine do does not count. */
  readonly processor: number;
  /** MB that it had at most. */
  readonly memory: number;
}

async function measure(words: readonly string[]): Promise<Measured> {
  const start = performance.now();
  const child = spawn(executable.BIN, ['logs', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let first = 0;
  let memory = 0;
  let processor = 0;
  const look = () => {
    // Gone between two looks: what was seen last counts.
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      processor = (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {}
  };
  const timer = setInterval(look, 5);
  child.stdout.on('data', () => {
    first ||= performance.now() - start;
    look();
  });
  await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  return { first, all: performance.now() - start, processor, memory };
}

/** The middle one of each. */
async function report(name: string, words: readonly string[], times = runs): Promise<void> {
  const measured: Measured[] = [];
  for (let run = 0; run < times; run += 1) measured.push(await measure(words));
  const median = (key: keyof Measured) =>
    measured.map((one) => one[key]).sort((one, other) => one - other)[times >> 1] ?? 0;
  const columns = [
    `${median('first').toFixed(0)} ms`,
    `${median('all').toFixed(0)} ms`,
    `${median('processor').toFixed(0)} ms`,
    `${median('memory').toFixed(0)} MB`,
  ];
  console.log([name.padEnd(44), ...columns.map((column) => column.padStart(10))].join(''));
}

try {
  const sizes: [number, string][] = [100_000, 1_000_000].map((count) => [
    count,
    makeJournal(`${count}.ndjson`, count),
  ]);
  console.log(
    `${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}; medians of ${runs}, files in the page cache`,
  );
  for (const [count, path] of sizes) {
    console.log(`\n${count} records, ${(statSync(path).size / 1e6).toFixed(0)} MB`);
    console.log(`${''.padEnd(44)}first line       all processor    memory`);
    for (const [where, number] of [
      ['oldest', 0],
      ['in the middle', count / 2],
      ['newest', count - 1],
    ] as const)
      await report(`--container (${where})`, ['--container', containerIDOf(number), path]);
    await report('--container (newest), -r', ['-r', '--container', containerIDOf(count - 1), path]);
    await report('-n 20', ['-n', '20', path]);
    await report('--failed -n 20 (there are none)', ['--failed', '-n', '20', path], 1);
    await report('all', [path], 1);
  }
} finally {
  rmSync(folder, { recursive: true });
}
