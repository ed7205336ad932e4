import { join } from 'node:path';
import { bridgeNetwork, debugPlugin, OperatorNode } from '../cli/operator-node.ts';

/** Of the mends that `doctor --fix --json` says. */
export interface MendAnswer {
  readonly finding: string;
  readonly object: string;
  readonly difference: string[];
  readonly done: string[];
  readonly left: string[];
  readonly failure?: string;
}

export interface FixAnswer {
  readonly status: number | null;
  readonly stderr: string;
  readonly findings: { readonly id: string; readonly object: string }[];
  readonly mends: MendAnswer[];
  readonly remaining: { readonly findings: { readonly id: string }[]; readonly unseen: string[] };
}

/** A node with the network `lab`: a bridge of ours, and `debug`. */
export async function mendingNode(more: object[] = [debugPlugin]): Promise<OperatorNode> {
  const node = await OperatorNode.start({ hasProcesses: true });
  node.configure('10-lab.conflist', bridgeNetwork('lab', '10.50.0.0/24', more));
  return node;
}

/** What `--fix` says that it did. */
export async function fixed(node: OperatorNode, words = '--min-age 1ms'): Promise<FixAnswer> {
  const { status, stdout, stderr } = await node.type(`doctor --fix --json ${words}`.trim());
  return { status, stderr, ...JSON.parse(stdout) };
}

/** The mend of a rule. */
export function mendOf({ mends }: FixAnswer, id: string): MendAnswer | undefined {
  return mends.find(({ finding }) => finding === id);
}

export const leases = '/var/lib/cni/networks/lab';
export const results = '/var/lib/cni/results';

/**
 * What a mend says that is applied when something has happened since the node was looked at: `script` runs between the
 * two looks, or after both of them.
 */
export async function mendedAfter(
  node: OperatorNode,
  id: string,
  script: string,
  after: 'first' | 'second' = 'first',
): Promise<{ difference: string[]; done: string[]; left: string[] }> {
  const words = [
    process.execPath,
    join(import.meta.dir, 'mend-run.ts'),
    id,
    script,
    ...(after === 'second' ? ['late'] : []),
  ];
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  return JSON.parse(await node.sh(quoted.join(' ')));
}
