import { contains } from '../cni/address.ts';
import type { Finding } from '../findings/finding.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import type { PacketHeaders } from '../path/packet-headers.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';

/**
 * That a packet leaves with the container's own address though its network is to give it the node's: what answers it comes to
 * nobody. Undefined for networks that want it so.
 */
export function notMasqueraded(
  run: ProbeRun,
  { leftAs }: { readonly leftAs?: PacketHeaders },
  { what, source }: { readonly what: string; readonly source: Uint8Array },
  target: Uint8Array,
): Finding | undefined {
  const address = ipText(source);
  const owner = run.subject.interfaces.find(({ addresses }) =>
    addresses.some(({ ip }) => ipText(ip) === address),
  );
  if (owner === undefined || !owner.wantsMasquerade || leftAs === undefined) return undefined;
  // Within its own network a container keeps its address.
  if (owner.addresses.some((cidr) => contains(cidr, target)) || leftAs.source !== address) return undefined;
  return finding('P005', {
    object: `network ${owner.network}`,
    cause: `${what} leaves this node with the container's own address ${address}, though the network says "ipMasq": true`,
    evidence: [
      {
        source: 'trace of the packet (nftrace)',
        text: `left postrouting from ${leftAs.source} to ${leftAs.target}, from the same address as it came`,
      },
    ],
    meaning:
      'nobody outside knows the way back to this address: what answers goes elsewhere, and the container waits',
    fix: ['cni-debug doctor --fix'],
  });
}
