import type { OperatorNode } from '../cli/operator-node.ts';
import { idOf, network, portOf, type Slot } from './fire-slot.ts';

export const leases = `/var/lib/cni/networks/${network}`;
export const results = '/var/lib/cni/results';

/** What is known of the node, on which nothing else happens. */
interface Sight {
  readonly ruleset: string;
  readonly links: string;
  readonly cached: ReadonlySet<string>;
}

/** What living containers lack, a line each. */
export async function lossesOf(node: OperatorNode, living: readonly Slot[]): Promise<string[]> {
  const [ruleset, links] = await Promise.all([
    node.sh('nft list ruleset'),
    node.sh('ip link show type veth'),
  ]);
  const sight = { ruleset, links, cached: new Set(node.files(results)) };
  const losses = living.flatMap((slot) => {
    const lacking = [
      ...(leaseOf(node, slot) === `${idOf(slot)}\r\neth0` ? [] : ['lease']),
      ...Object.entries(partsOf(slot, sight)).flatMap(([what, isThere]) => (isThere ? [] : [what])),
    ];
    return lacking.map((what) => `${slot.caller} ${idOf(slot)} ${slot.address}: ${what}`);
  });
  return [...losses, ...(await silentOf(node, living))];
}

/** What the lease of its address says. */
export function leaseOf(node: OperatorNode, { address }: Slot): string | undefined {
  try {
    return node.read(`${leases}/${address}`);
  } catch {
    return undefined;
  }
}

function partsOf(slot: Slot, { ruleset, links, cached }: Sight): Record<string, boolean> {
  const { address, port, caller } = slot;
  const id = idOf(slot);
  const veth = links.includes(` ${port}@`);
  if (caller === 'reference') {
    const masquerade = new RegExp(`saddr ${address.replaceAll('.', '\\.')} .* id: ${id}"`).test(ruleset);
    return { veth, masquerade, 'check of its MAC address': ruleset.includes(`macspoofchk-${id}-eth0"`) };
  }
  const own = {
    veth,
    masquerade: ruleset.includes(`${address} comment "`),
    'check of its MAC address': ruleset.includes(`"${port}" comment "`),
  };
  if (caller === 'our plugin') return own;
  return {
    ...own,
    'cached result': cached.has(`${network}-${id}-eth0`),
    'host port': new RegExp(`tcp \\. ${portOf(slot)} comment "[^"]*${id}"`).test(ruleset),
  };
}

/** Those that do not answer a packet. */
async function silentOf(node: OperatorNode, living: readonly Slot[]): Promise<string[]> {
  if (living.length === 0) return [];
  const addresses = living.map(({ address }) => address).join(' ');
  const ping = 'ping -c 1 -W 3 -q {} >/dev/null || echo {}';
  const silent = await node.sh(`printf '%s\\n' ${addresses} | xargs -P 8 -I '{}' sh -c '${ping}'`);
  return silent
    .split('\n')
    .filter(Boolean)
    .map((address) => `${address}: no answer to a ping`);
}
