import { bridgeNetwork, debugPlugin, OperatorNode } from '../cli/operator-node.ts';
import { requires } from '../requirements.ts';

/** What a node needs whose every process can be seen. */
export const canRun = requires('root', 'ip', 'nft');

/** What is younger may be of a container that just starts: here everything is. */
export const doctor = 'doctor --min-age 1ms';

/** A node that is sound: network `lab` on bridge `br-lab` (10.50.0.1/28), and pod `web` with 10.50.0.2. */
export async function soundNode(plugins: object[] = [debugPlugin]): Promise<OperatorNode> {
  const node = await OperatorNode.start({ hasProcesses: true });
  node.configure('10-lab.conflist', bridgeNetwork('lab', '10.50.0.0/28', plugins));
  await node.pod('web');
  await node.typed('add lab web --container-id web');
  return node;
}

/** Words for `doctor` about a network of the node that has nothing to do with anything. */
export function ofOther(node: OperatorNode): string {
  const plugins = [{ type: 'loopback' }];
  node.configure('90-other.conflist', { cniVersion: '1.1.0', name: 'other', plugins });
  return '--network other';
}

/** Findings as a test says them: `D001 network lab`, and indented what follows from it; then what was not looked at. */
export async function diagnosis(node: OperatorNode, words = doctor): Promise<string[]> {
  const { status, stdout, stderr } = await node.type(`${words} --format json`);
  if (stdout === '') throw new Error(`${words}: status ${status}: ${stderr}`);
  const { findings, unseen } = JSON.parse(stdout);
  const expected = findings.some(({ severity }: Found) => severity !== 'info')
    ? 1
    : unseen.length > 0
      ? 3
      : 0;
  if (status !== expected) throw new Error(`${words}: status ${status}, and not ${expected}: ${stdout}`);
  return [...lines(findings, ''), ...unseen.map((line: string) => `not looked at: ${line}`)];
}

/** The findings themselves, roots first. */
export async function findings(node: OperatorNode, words = doctor): Promise<Found[]> {
  return JSON.parse((await node.type(`${words} --format json`)).stdout).findings;
}

export interface Found {
  readonly id: string;
  readonly severity: string;
  readonly object: string;
  readonly cause: string;
  readonly evidence: readonly { readonly source: string; readonly text: string }[];
  readonly since?: string;
  readonly fix: readonly string[];
  readonly undo: readonly string[];
  readonly consequences: readonly Found[];
}

/** An executable of the node, as a shell script that answers VERSION. */
export async function script(node: OperatorNode, name: string, body: string): Promise<void> {
  const version = '{"cniVersion": "1.1.0", "supportedVersions": ["0.4.0", "1.0.0", "1.1.0"]}';
  const answer = `[ "$CNI_COMMAND" = VERSION ] && echo '${version}' && exit 0`;
  node.write(`/opt/cni/bin/${name}`, `#!/bin/sh\n${answer}\n${body}\n`);
  await node.sh(`chmod +x /opt/cni/bin/${name}`);
}

/** A network of `debug` that runs this plugin, or these. */
export function wrapping(name: string, delegate: object | object[]): object {
  return { cniVersion: '1.1.0', name, plugins: [{ ...debugPlugin, delegate }] };
}

/** Records as `debug` writes them, in the journal of the node; the oldest first. */
export async function journal(node: OperatorNode, records: readonly object[]): Promise<void> {
  await node.sh('mkdir -p /var/log/cni-debug');
  const written = records.map((record, index) =>
    JSON.stringify({
      v: 1,
      kind: 'call',
      level: 30,
      id: `${index}`.padStart(16, '0'),
      plugin: 'debug',
      ...record,
    }),
  );
  node.write('/var/log/cni-debug/journal.ndjson', `${written.join('\n')}\n`);
}

/** So long ago, as a record says it. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

function lines(found: readonly Found[], indent: string): string[] {
  return found.flatMap(({ id, object, consequences }) => [
    `${indent}${id} ${object}`,
    ...lines(consequences, `${indent}  `),
  ]);
}
