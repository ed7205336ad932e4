// What `snapshot` costs on a node with 100 links and 1,000 rules, or 1,000 elements of a map: the first look, and
// each one behind a plugin that changed something. In this process, without a compiler, as in the executable; and
// whole calls of it.
import { execFileSync, spawnSync } from 'node:child_process';
import { createNamespace, removeNamespace } from '../../src/kernel/named-namespace.ts';
import { enterNamespace, openNamespace } from '../../src/kernel/netns.ts';
import { ChangeWatch } from '../../src/trace/change-watch.ts';
import { median } from './calls.ts';

const runs = Number(process.env.RUNS ?? 50);
const variants = {
  'nothing but lo': { links: 0, rules: 0, elements: 0 },
  '100 links': { links: 100, rules: 0, elements: 0 },
  '1,000 rules': { links: 0, rules: 1000, elements: 0 },
  '100 links and 1,000 rules': { links: 100, rules: 1000, elements: 0 },
  '100 links and 1,000 elements': { links: 100, rules: 0, elements: 1000 },
};

if (process.argv[2] === undefined) {
  console.log('medians in ms [lowest], and how much of it is processor time');
  for (const name of Object.keys(variants)) {
    // The executable gives its calls no compiler: a call is over before that could pay.
    const env = { ...process.env, BUN_JSC_useJIT: '0' };
    const { stdout, stderr, status } = spawnSync(process.execPath, [import.meta.path, name], {
      env,
      encoding: 'utf8',
    });
    process.stdout.write(stdout);
    if (status !== 0) throw new Error(stderr);
  }
} else {
  const name = process.argv[2] as keyof typeof variants;
  const path = `/run/netns/cni-debug-bench-${process.pid}`;
  const pod = `${path}-pod`;
  createNamespace(path);
  createNamespace(pod);
  try {
    fill(path, variants[name]);
    const namespace = openNamespace(path);
    // For good: what is started from here on is on that node.
    enterNamespace(namespace);
    namespace.close();
    measure(name, pod);
  } finally {
    removeNamespace(pod);
    removeNamespace(path);
  }
}

function measure(name: string, netns: string): void {
  const attachment = { network: 'net', containerID: 'pod', ifName: 'eth0' };
  const find = (_: string, __: string, message: string): never => {
    throw new Error(message);
  };
  const [first, same, after]: [Cost[], Cost[], Cost[]] = [[], [], []];
  for (let index = -3; index < runs; index += 1) {
    let watch: ChangeWatch | undefined;
    const begin = costOf(() => {
      watch = new ChangeWatch({ attachment, netns, sysctls: [], find });
    });
    if (watch === undefined) throw new Error('no watch');
    const { next } = { next: watch.next.bind(watch) };
    const unchanged = costOf(() => void next('nobody'));
    // As much as a bridge with a mapped port changes.
    sh('ip', '-batch', '-', [
      'link add host0 type veth peer name eth0',
      'link set host0 up',
      'address add 10.99.0.1/24 dev host0',
    ]);
    sh('nft', '-f', '-', [
      'add table ip bench',
      'add chain ip bench c',
      'add rule ip bench c tcp dport 80 accept',
    ]);
    let found = 0;
    const changed = costOf(() => {
      found = next('bridge').length;
    });
    if (found < 5) throw new Error(`only ${found} changes`);
    watch.close();
    sh('ip', '-batch', '-', ['link del host0']);
    sh('nft', '-f', '-', ['delete table ip bench']);
    if (index < 0) continue;
    first.push(begin);
    same.push(unchanged);
    after.push(changed);
  }
  const cell = (costs: Cost[]): string => {
    const wall = costs.map(({ wall }) => wall);
    return `${median(wall).toFixed(2).padStart(6)} [${Math.min(...wall).toFixed(2)}] cpu ${median(costs.map(({ cpu }) => cpu)).toFixed(2)}`;
  };
  console.log(
    `${name.padEnd(30)} first ${cell(first)}   nothing changed ${cell(same)}   changed ${cell(after)}`,
  );
}

interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

function costOf(run: () => void): Cost {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  run();
  const took = performance.now() - wall;
  const { user, system } = process.cpuUsage(cpu);
  return { wall: took, cpu: (user + system) / 1000 };
}

function fill(
  path: string,
  { links, rules, elements }: { links: number; rules: number; elements: number },
): void {
  const netns = path.slice('/run/netns/'.length);
  const inside = (command: string[], lines: string[]): void =>
    sh('ip', 'netns', 'exec', netns, ...command, lines);
  const pairs = Array.from({ length: links / 2 }, (_, index) => [
    `link add v${index} type veth peer name p${index}`,
    ...[`link set v${index} master br0`, `link set v${index} up`, `link set p${index} up`],
  ]);
  inside(
    ['ip', '-batch', '-'],
    ['link add br0 type bridge', 'link set br0 up', 'link set lo up', ...pairs.flat()],
  );
  const address = (index: number): string => `10.3.${index >> 8}.${index & 255}`;
  const list = (count: number, line: (index: number) => string): string[] =>
    Array.from({ length: count }, (_, index) => line(index));
  inside(
    ['nft', '-f', '-'],
    [
      'table ip t {',
      'chain c {',
      ...list(
        rules,
        (index) =>
          `ip saddr ${address(index)} tcp dport ${index + 1} dnat to 10.9.0.1:80 comment "pod ${index}"`,
      ),
      '}',
      'map m { type ipv4_addr : verdict; }',
      '}',
      ...list(
        elements,
        (index) => `add element ip t m { ${address(index)} comment "${'a'.repeat(100)}" : accept }`,
      ),
    ],
  );
}

function sh(...words: (string | string[])[]): void {
  const input = words.filter(Array.isArray).flat().join('\n');
  const [command = '', ...args] = words.filter((word): word is string => typeof word === 'string');
  execFileSync(command, args, { input: `${input}\n`, stdio: ['pipe', 'ignore', 'pipe'] });
}
