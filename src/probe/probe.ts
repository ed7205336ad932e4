import type { Ip } from '../cni/address.ts';
import { endpointText } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import { type Namespace, NamespaceLostError } from '../kernel/netns.ts';
import { probeDns } from './dns-step.ts';
import { probeFromNode } from './from-node-step.ts';
import { probeGateway } from './gateway-step.ts';
import { gatewaysOf } from './gateways.ts';
import { probeHostPort } from './host-port-step.ts';
import { probeInterface } from './interface-step.ts';
import { probeMtu } from './mtu-step.ts';
import { probeName } from './name-step.ts';
import { type ProbeOptions, ProbeRun } from './probe-run.ts';
import type { Subject } from './subject.ts';
import { isNamed } from './target.ts';
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
  const { endpoints, isOut } = probeTargets(run);
  const families = new Map(gateways.map((gateway) => [gateway.ip.length, gateway]));
  for (const gateway of families.values()) attempt(run, 'way out', () => probeWayOut(run, gateway, isOut));
  const distant = run.findings.length === 0 ? endpoints.map(({ ip }) => ip) : [];
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

/** Connects to addresses, tries the resolvers, and then what needs these: names. Answers whether any of it has come out. */
function probeTargets(run: ProbeRun): { endpoints: Endpoint[]; isOut: boolean } {
  const endpoints: Endpoint[] = [];
  let isOut = false;
  const connect = (endpoint: Endpoint): void => {
    endpoints.push(endpoint);
    attempt(run, `TCP to ${endpointText(endpoint)}`, () => {
      isOut = probeTcp(run, endpoint) || isOut;
    });
  };
  for (const target of run.options.targets) if (!isNamed(target)) connect(target);
  let answering: string[] = [];
  attempt(run, 'DNS', () => {
    answering = probeDns(run);
  });
  for (const target of run.options.targets.filter(isNamed)) {
    let found: Endpoint[] = [];
    attempt(run, `name ${target.name}`, () => {
      found = probeName(run, target, answering);
    });
    for (const endpoint of found) connect(endpoint);
  }
  return { endpoints, isOut: isOut || answering.length > 0 };
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

function distinct(addresses: readonly Ip[]): Ip[] {
  return [...new Map(addresses.map((ip) => [ipText(ip), ip])).values()];
}
