import { contains, formatCidr, parseCidr } from '../cni/address.ts';
import { EACCES, EINVAL, EXDEV } from '../kernel/errno.ts';
import { askByArp } from '../kernel/inet/arp.ts';
import { askByNdp } from '../kernel/inet/neighbour-discovery.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import type { Link } from '../kernel/netlink/link.ts';
import { routeOfIncoming } from '../kernel/netlink/route-lookup.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import { readSysctl } from '../kernel/sysctl.ts';
import type { Stop, StopCause } from '../path/stop.ts';
import { testForwarding } from '../path/test-forwarding.ts';
import type { Gateway } from './gateways.ts';
import { linkFacts } from './link-facts.ts';
import { nodeLink } from './node-link.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';
import { findingOfStop } from './stop-finding.ts';

/** Whether the gateway says, on the wire, that it is there. */
export function probeGateway(run: ProbeRun, gateway: Gateway): void {
  const { ip, link, source } = gateway;
  const what = `gateway ${ipText(ip)}`;
  if ((link.flags & IFF_NOARP) !== 0) {
    run.ok(what, `is at the other end of "${link.name}", which needs no ARP`);
    return;
  }
  const protocol = ip.length === 4 ? 'ARP' : 'NDP';
  const ask = ip.length === 4 ? askByArp : askByNdp;
  const atMostMs = run.timeFor(Math.min(run.options.timeoutMs, LONGEST_MS));
  const answer = ask(run.pod, { link, source, target: ip, atMostMs });
  if (answer !== undefined) {
    run.ok(what, `answers ${protocol} in ${answer.ms.toFixed(1)} ms (${answer.mac})`);
    return;
  }
  const filtered = reversePathStop(run, gateway);
  const stopped = { what: `what comes from ${ipText(source)}, ARP too`, where: 'node' } as const;
  const found =
    filtered === undefined ? silent(run, gateway, protocol) : findingOfStop(run, filtered, stopped);
  run.fail(what, found, { blocks: true });
}

/** A neighbour on the same node answers in microseconds. */
const LONGEST_MS = 1000;
/** include/uapi/linux/if.h */
const IFF_NOARP = 0x80;

function silent(run: ProbeRun, { ip, link, source }: Gateway, protocol: string) {
  const text = ipText(ip);
  const holder = holderOf(run, text);
  return finding('P006', {
    object: `gateway ${text}`,
    cause: `nobody answers when the container asks by ${protocol} who has ${text}`,
    evidence: [
      {
        source: `${protocol} from ${ipText(source)} on "${link.name}"`,
        text: `2 requests, no answer`,
      },
      {
        source: 'ip address',
        text:
          holder === undefined ? `no link of this node has ${text}` : `${linkFacts(run, holder)} has ${text}`,
      },
    ],
    meaning: 'whatever the container sends to other networks than its own goes nowhere',
    fix:
      holder === undefined
        ? [
            `ip address add ${gatewayCidr(run, ip)} dev ${nodeLink(run, link.name)}, if this node is the gateway`,
            'cni-debug doctor',
          ]
        : holder.up
          ? ['cni-debug doctor']
          : [`ip link set ${holder.name} up`],
  });
}

/** With the length that the container's own address has. */
function gatewayCidr({ inside }: ProbeRun, ip: Uint8Array): string {
  const own = inside.addresses
    .flatMap(({ address, prefixLength }) => parseCidr(`${address}/${prefixLength}`) ?? [])
    .find((cidr) => contains(cidr, ip));
  return formatCidr({ ip, prefixLength: own?.prefixLength ?? ip.length * 8 });
}

function holderOf({ outside }: ProbeRun, address: string): Link | undefined {
  const held = outside.addresses.find((one) => one.address === address);
  return outside.links.find(({ index }) => index === held?.index);
}

/**
 * With rp_filter, the kernel does not answer ARP either that comes by another link than it would answer by. It counts packets
 * of IP only, so one is put on the wire for the gateway all the same.
 */
function reversePathStop(run: ProbeRun, { ip, link, source }: Gateway): Stop | undefined {
  const holder = ip.length === 4 ? holderOf(run, ipText(ip)) : undefined;
  if (holder === undefined) return undefined;
  const sysctls = ['all', holder.name].flatMap((name) => settingOf(`net/ipv4/conf/${name}/rp_filter`));
  if (!sysctls.some(({ value }) => value !== '0')) return undefined;
  const socket = openRouteSocket();
  try {
    const route = routeOfIncoming(socket, { source, target: ip, iif: holder.index });
    if (route.kind !== 'refused' || ![EXDEV, EINVAL, EACCES].includes(route.errno)) return undefined;
  } finally {
    socket.close();
  }
  const { mac } = holder;
  const tested = testForwarding(
    run.node,
    run.pod,
    source,
    undefined,
    mac === undefined ? undefined : { link, mac },
  );
  if (tested.outcome === 'stopped' && tested.stop.cause === 'reverse-path') return tested.stop;
  const text = `the way back to ${ipText(source)} does not lead by "${holder.name}", which it came by`;
  return {
    cause: 'reverse-path' satisfies StopCause,
    layer: 'ip',
    hook: 'prerouting',
    isBehind: true,
    text,
    sysctls,
  };
}

function settingOf(path: string): { name: string; value: string }[] {
  try {
    return [{ name: path.replaceAll('/', '.'), value: readSysctl(path) }];
  } catch {
    return [];
  }
}
