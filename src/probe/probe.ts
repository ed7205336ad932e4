import type { Ip } from '../cni/address.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import { type Namespace, NamespaceLostError } from '../kernel/netns.ts';
import { probeDns } from './dns-step.ts';
import { probeFromNode } from './from-node-step.ts';
import { probeGateway } from './gateway-step.ts';
import { gatewaysOf } from './gateways.ts';
import { probeHostPort } from './host-port-step.ts';
import { probeInterface } from './interface-step.ts';
import { probeMtu } from './mtu-step.ts';
import { type ProbeOptions, ProbeRun } from './probe-run.ts';
import type { Subject } from './subject.ts';
import { probeTcp } from './tcp-step.ts';
import { probeWayOut } from './way-out-step.ts';

/**
 * Tries a container's network from inside and from the node, in the order in which one thing needs the other: what cannot work
 * because of what was found is not tried. Sends only to the targets, the gateways and the resolvers; less than 15 s. Throws
 * NetlinkError and SystemError where nothing can be looked at at all.
 */
export function probe(subject: Subject, pod: Namespace, options: ProbeOptions): ProbeRun {
  const run = new ProbeRun(subject, pod, options);
  for (const one of subject.interfaces)
    attempt(run, `interface ${one.ifName}`, () => probeInterface(run, one));
  const gateways = subject.interfaces.flatMap((one) => gatewaysOf(run, one));
  for (const gateway of gateways)
    attempt(run, `gateway ${ipText(gateway.ip)}`, () => probeGateway(run, gateway));
  let hasConnected = false;
  for (const target of options.targets)
    attempt(run, `TCP to ${ipText(target.ip)} port ${target.port}`, () => {
      hasConnected = probeTcp(run, target) || hasConnected;
    });
  attempt(run, 'DNS', () => probeDns(run));
  const families = new Map(gateways.map((gateway) => [gateway.ip.length, gateway]));
  for (const gateway of families.values())
    attempt(run, 'way out', () => probeWayOut(run, gateway, hasConnected || hasAnsweredDns(run)));
  const distant = run.findings.length === 0 ? options.targets.map(({ ip }) => ip) : [];
  const measured = distinct([...gateways.map(({ ip }) => ip), ...distant]);
  for (const target of measured) attempt(run, `path MTU to ${ipText(target)}`, () => probeMtu(run, target));
  for (const { addresses } of subject.interfaces)
    for (const { ip } of addresses) attempt(run, `${ipText(ip)} from the node`, () => probeFromNode(run, ip));
  for (const one of subject.interfaces)
    for (const mapping of one.hostPorts)
      attempt(run, `host port ${mapping.hostPort}/${mapping.protocol}`, () =>
        probeHostPort(run, one, mapping),
      );
  return run;
}

/** One step, and what is said in its place. */
function attempt(run: ProbeRun, what: string, step: () => void): void {
  const { blocker } = run;
  if (blocker !== undefined) {
    run.notTried(what, `because of ${blocker.id}`);
    return;
  }
  run.options.onStep?.(what);
  try {
    step();
  } catch (error) {
    // This process is in the wrong namespace now, and must end.
    if (error instanceof NamespaceLostError) throw error;
    run.notLookedAt(what, error instanceof Error ? error.message : String(error));
  }
}

function hasAnsweredDns({ steps }: ProbeRun): boolean {
  return steps.some(({ what, outcome }) => what.startsWith('resolver ') && outcome === 'ok');
}

function distinct(addresses: readonly Ip[]): Ip[] {
  return [...new Map(addresses.map((ip) => [ipText(ip), ip])).values()];
}
