import { sameIp } from '../cni/address.ts';
import { endpointText } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import { SystemError } from '../kernel/system-error.ts';
import { sourceTowards, tcpAttempt } from '../path/attempt.ts';
import { type Exchange, exchange, stopsOf } from '../path/exchange.ts';
import { freePort } from './free-port.ts';
import { type AskedPort, closed, notForwarded } from './host-port-finding.ts';
import { type Translation, translationOf } from './host-port-translation.ts';
import { nodeAddress } from './node-address.ts';
import type { ProbeRun } from './probe-run.ts';
import { findingOfStop } from './stop-finding.ts';
import type { HostPort, SubjectInterface } from './subject.ts';

/**
 * Whether a port of the node leads to the container: as the node's own processes reach it, and as prerouting translates what comes
 * in, which only the container itself can send here without a change to the node.
 */
export function probeHostPort(run: ProbeRun, { addresses }: SubjectInterface, mapping: HostPort): void {
  const { hostPort, containerPort, protocol, hostIP } = mapping;
  for (const { ip } of addresses) {
    if (hostIP !== undefined && hostIP.length !== ip.length) continue;
    const at = hostIP ?? nodeAddress(run, ip.length === 4 ? 4 : 6);
    if (at === undefined) continue;
    const outer = { ip: at, port: hostPort };
    const inner = { ip, port: containerPort };
    const what = `host port ${endpointText(outer)}/${protocol}`;
    if (protocol !== 'tcp' && protocol !== 'udp') run.notTried(what, `there is no test for ${protocol}`);
    else probeOne(run, { what, object: `host port ${hostPort}/${protocol}`, outer, inner, protocol });
  }
}

function probeOne(run: ProbeRun, asked: AskedPort): void {
  const { what, outer, protocol } = asked;
  const atMostMs = run.timeFor(Math.min(run.options.timeoutMs, LONGEST_MS));
  if (atMostMs === 0) {
    run.notTried(what, 'the time of the probe is over');
    return;
  }
  const incoming = translationOf(run, run.pod, protocol, outer);
  if (protocol === 'udp') {
    judge(run, asked, { incoming, local: translationOf(run, run.node, protocol, outer) });
    return;
  }
  const source = sourceOf(run, outer);
  if (source === undefined) {
    run.notTried(what, `the node has no ${ipText(outer.ip)}`);
    return;
  }
  const from = { ip: source, port: freePort(run.node, source) };
  const found = exchange({
    ...{ node: run.node, asking: run.node, answering: run.pod, atMostMs },
    flow: { protocol, source, target: outer.ip, sourcePort: from.port, targetPort: outer.port },
    attempt: tcpAttempt(run.node, from, outer),
  });
  judge(run, asked, { incoming, local: translated(found), found });
}

const LONGEST_MS = 1000;

interface Seen {
  /** Undefined where it was not seen. */
  readonly incoming: Translation | undefined;
  readonly local: Translation | undefined;
  readonly found?: Exchange;
}

function judge(run: ProbeRun, asked: AskedPort, { incoming, local, found }: Seen): void {
  const { what, inner } = asked;
  const [leadsIn, leadsOut] = [leadsTo(incoming, inner), leadsTo(local, inner)];
  if (leadsIn === false || (leadsIn === undefined && leadsOut === false)) {
    run.fail(what, notForwarded(asked, incoming ?? local, 'what comes in from outside', 'error'));
    return;
  }
  if (leadsOut === false) {
    run.fail(what, notForwarded(asked, local, 'what the node itself sends', 'warning'));
    return;
  }
  const [stopped] = found === undefined ? [] : stopsOf(found);
  if (stopped !== undefined) {
    run.fail(what, findingOfStop(run, stopped.stop, { what: `TCP to ${what}`, where: stopped.where }));
    return;
  }
  const to = endpointText(inner);
  const proof =
    leadsIn === undefined
      ? 'what comes in was not seen'
      : 'prerouting translates what comes in; not tried from outside';
  if (found !== undefined && found.outcome.kind !== 'answered') {
    run.fail(what, closed(asked, found));
    return;
  }
  const ms = found === undefined ? '' : `, connected from the node in ${found.outcome.ms.toFixed(1)} ms`;
  run.ok(what, `leads to ${to}${ms} (${proof})`);
}

function leadsTo(seen: Translation | undefined, { ip, port }: Endpoint): boolean | undefined {
  return seen && seen.target === ipText(ip) && seen.targetPort === port;
}

/** Behind all NAT of the node. */
function translated({ request, leftAs }: Exchange): Translation | undefined {
  const seen = leftAs ?? request?.hops.findLast(({ left }) => left !== undefined)?.left;
  return seen?.targetPort === undefined ? undefined : { target: seen.target, targetPort: seen.targetPort };
}

function sourceOf(run: ProbeRun, outer: Endpoint): Uint8Array | undefined {
  const isOwn = run.outside.addresses.some(({ address }) => address === ipText(outer.ip));
  if (!isOwn) return undefined;
  try {
    const source = sourceTowards(run.node, outer);
    return sameIp(source, outer.ip) ? source : outer.ip;
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
