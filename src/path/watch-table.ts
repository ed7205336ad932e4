import { EAFNOSUPPORT, EINVAL, ENOENT, EOPNOTSUPP } from '../kernel/errno.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import { Batch } from '../kernel/nftables/batch.ts';
import { addChain, type ChainName, type Hook } from '../kernel/nftables/chain.ts';
import type { Expression } from '../kernel/nftables/expression.ts';
import { verdict } from '../kernel/nftables/match.ts';
import { addRule } from '../kernel/nftables/rule.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import { addTable, type TableName } from '../kernel/nftables/table.ts';
import { carriesCookie, type Flow, flowIs } from './flow.ts';

export type HookName = Hook['hook'];

/** Where packets of a flow are reported: before all chains of others in a hook, and behind them. */
export interface Post {
  readonly layer: 'ip' | 'bridge';
  readonly hook: HookName;
  readonly end: 'first' | 'last';
}

/**
 * Puts our chains before and behind those of all others, in a table that goes away with the socket. The first one that a
 * packet of the flow comes to marks it, and from there on the kernel reports each chain that it goes through: the others
 * have no rules, but what contains it. False where the kernel has no nftables for bridges, and there is that of IP only.
 * Throws NetlinkError: EOPNOTSUPP before Linux 5.12.
 */
export function addWatchTables(nftables: Nftables, name: string, flow: Flow, isContained: boolean): boolean {
  const batch = new Batch();
  addTableOf(batch, { family: 'inet', table: name }, flow, isContained);
  nftables.commit(batch);
  try {
    const bridges = new Batch();
    addTableOf(bridges, { family: 'bridge', table: name }, flow, isContained);
    nftables.commit(bridges);
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && MISSING.includes(error.errno)) return false;
    throw error;
  }
}

/** Marks more packets, in the tables that are there. Throws NetlinkError. */
export function addFlow(nftables: Nftables, name: string, flow: Flow, hasBridges: boolean): void {
  const batch = new Batch();
  for (const family of hasBridges ? (['inet', 'bridge'] as const) : (['inet'] as const))
    for (const hook of MARKING) addRule(batch, chainAt({ family, table: name }, hook, 'first'), marks(flow));
  nftables.commit(batch);
}

/** Which of our chains this is; undefined for those of others. */
export function postOf({ family, table, chain }: ChainName, name: string): Post | undefined {
  if (table !== name) return undefined;
  const [hook, end] = chain.split('_');
  return { layer: family === 'bridge' ? 'bridge' : 'ip', hook: hook as HookName, end: end as Post['end'] };
}

/** An error of the kernel for a family of nftables that it was built without. */
const MISSING = [EAFNOSUPPORT, EOPNOTSUPP, EINVAL, ENOENT];

const HOOKS: readonly HookName[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
/** Where packets come from. */
const MARKING: readonly HookName[] = ['prerouting', 'output'];
/** Where they leave for others, or for a process. */
const EXITS = { inet: ['input', 'postrouting'], bridge: ['postrouting'] } as const;

/** Not the very first and last: there the kernel takes packets out of bridges, and confirms connections. */
const PRIORITY = { first: -0x8000_0000 + 1, last: 0x7fff_ffff - 1 };

function addTableOf(
  batch: Batch,
  table: TableName & { family: 'inet' | 'bridge' },
  flow: Flow,
  isContained: boolean,
): void {
  addTable(batch, table, 'of a cni-debug that runs, and gone with it', { owned: true });
  for (const hook of HOOKS) {
    for (const end of ['first', 'last'] as const)
      addChain(batch, chainAt(table, hook, end), { base: { type: 'filter', hook, priority: PRIORITY[end] } });
  }
  for (const hook of MARKING) addRule(batch, chainAt(table, hook, 'first'), marks(flow));
  if (!isContained) return;
  const contained = carriesCookie(flow);
  if (contained === undefined) throw new RangeError('what is contained has a cookie');
  for (const hook of EXITS[table.family])
    addRule(batch, chainAt(table, hook, 'last'), [...contained, verdict({ kind: 'drop' })]);
}

function marks(flow: Flow): Expression[] {
  return [
    ...flowIs(flow),
    { name: 'immediate', register: 1, value: Buffer.from([1]) },
    { name: 'meta', set: 'nftrace', source: 1 },
  ];
}

function chainAt(table: TableName, hook: HookName, end: Post['end']): ChainName {
  return { ...table, chain: `${hook}_${end}` };
}
