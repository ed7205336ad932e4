// What `doctor`, `list` and `gc` cost on a node with many attachments: medians of whole calls of the executable, and how
// much of it is processor time. N=500 and RUNS=9 say how many of each.
import { bridgeNetwork, debugPlugin, OperatorNode } from '../cli/operator-node.ts';
import { median } from './calls.ts';

const attachments = Number(process.env.N ?? 300);
const runs = Number(process.env.RUNS ?? 5);
const commands = ['doctor --min-age 1ms', 'list', 'gc lab'];
const portmap = { type: 'portmap', capabilities: { portMappings: true } };

await using node = await OperatorNode.start({ hasProcesses: true });
node.configure('10-lab.conflist', bridgeNetwork('lab', '10.50.0.0/20', [portmap, debugPlugin]));
await node.sh(`for i in $(seq ${attachments}); do
  ip netns add pod$i
  ports='{"portMappings": [{"hostPort": '$((10000 + i))', "containerPort": 80, "protocol": "tcp"}]}'
  cni-debug add lab pod$i --container-id pod$i --capabilities "$ports" >/dev/null
done`);

console.log(`medians in ms of ${runs} calls on a node with ${attachments} attachments`);
for (const command of commands) {
  const costs: Cost[] = [];
  for (let run = 0; run < runs; run += 1) costs.push(await costOf(command));
  const [wall, cpu] = [costs.map(({ wall }) => wall), costs.map(({ cpu }) => cpu)];
  const lowest = Math.min(...wall).toFixed(0);
  console.log(`${command.padEnd(22)} ${median(wall).toFixed(0).padStart(6)} [${lowest}] cpu ${median(cpu)}`);
}

/** ms */
interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

/** Of a call that must find nothing. */
async function costOf(command: string): Promise<Cost> {
  const timed = `TIMEFORMAT='%3R %3U %3S'; time cni-debug ${command} 2>&1`;
  const output = await node.sh(`bash -c ${JSON.stringify(`set -e; { ${timed}; } 2>&1`)}`);
  const [, real, user, system] = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+)$/m.exec(output) ?? [];
  if (system === undefined) throw new Error(output);
  return { wall: Number(real) * 1000, cpu: Math.round((Number(user) + Number(system)) * 1000) };
}
