// How long a call of `debug` takes from start to exit, beside the reference bridge in the same run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debug, referencePath } from '../program.ts';

const runs = Number(process.env.RUNS ?? 200);
const folder = mkdtempSync(join(tmpdir(), 'cni-debug-bench-'));
const netns = `cni-debug-bench-${process.pid}`;
const bridge = referencePath
  .map((path) => `${path}/bridge`)
  .find((path) => spawnSync('test', ['-x', path]).status === 0);
if (bridge === undefined) throw new Error(`no reference bridge in ${referencePath.join(', ')}`);

try {
  sh('ip', 'netns', 'add', netns);
  sh('ip', '-n', netns, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
  sh('ip', '-n', netns, 'addr', 'add', '10.22.0.5/16', 'dev', 'eth0');
  for (const link of ['eth0', 'peer0']) sh('ip', '-n', netns, 'link', 'set', link, 'up');
  sh('ip', '-n', netns, 'route', 'add', 'default', 'via', '10.22.0.1');
  const [executable = ''] = debug;
  const cases = {
    'bridge VERSION (reference)': `env CNI_COMMAND=VERSION ${bridge}`,
    'debug VERSION': `env CNI_COMMAND=VERSION ${executable}`,
    'the shell that gives ADD its stdin': add('/bin/true', 'shell', {}),
    'debug ADD, all checks and both logs': add(executable, 'all', {}),
    'debug ADD, validate off': add(executable, 'unchecked', { validate: 'off' }),
    'debug ADD, no logs': add(executable, 'unlogged', { cniOutput: false, journal: false }),
    'debug ADD, validate off, no logs': add(executable, 'bare', {
      validate: 'off',
      cniOutput: false,
      journal: false,
    }),
  };
  const report = join(folder, 'report.json');
  const names = Object.keys(cases).flatMap((name) => ['-n', name]);
  const measured = [
    '--warmup',
    '10',
    '--runs',
    String(runs),
    '--export-json',
    report,
    ...names,
    ...Object.values(cases),
  ];
  sh('hyperfine', '-N', '--style', 'none', ...measured);
  const { results } = JSON.parse(readFileSync(report, 'utf8')) as {
    results: { command: string; median: number }[];
  };
  const reference = results[0]?.median ?? Number.NaN;
  for (const { command, median } of results) {
    console.log(
      `${(median * 1000).toFixed(1).padStart(7)} ms ${(median / reference).toFixed(2).padStart(6)}  ${command}`,
    );
  }
  console.log(`medians of ${runs} runs; the second column is the ratio to the reference bridge's VERSION`);
} finally {
  spawnSync('ip', ['netns', 'del', netns]);
  rmSync(folder, { recursive: true, force: true });
}

/** A command line that hyperfine can run without a shell: the script gives the plugin its stdin. */
function add(executable: string, name: string, keys: object): string {
  const logs = { cniOutput: join(folder, `${name}.log`), journal: { path: join(folder, `${name}.ndjson`) } };
  const path = `/run/netns/${netns}`;
  const prevResult = {
    cniVersion: '1.0.0',
    interfaces: [{ name: 'cni0' }, { name: 'eth0', sandbox: path }],
    ips: [{ address: '10.22.0.5/16', gateway: '10.22.0.1', interface: 1 }],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const configuration = { cniVersion: '1.0.0', name: 'bench', type: 'debug', ...logs, ...keys, prevResult };
  const stdin = join(folder, `${name}.json`);
  writeFileSync(stdin, JSON.stringify(configuration));
  const script = join(folder, name);
  writeFileSync(script, `#!/bin/sh\nexec ${executable} < ${stdin}\n`, { mode: 0o755 });
  const variables = `CNI_COMMAND=ADD CNI_CONTAINERID=bench CNI_NETNS=${path} CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin`;
  return `env ${variables} ${script}`;
}

function sh(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}
