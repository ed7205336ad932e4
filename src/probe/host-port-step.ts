import { sameIp } from '../cni/address.ts';
import { endpointText } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import { SystemError } from '../kernel/system-error.ts';
import { sourceTowards, tcpAttempt } from '../path/attempt.ts';
import { type Exchange, exchange } from '../path/exchange.ts';
import { isEnd, stopsOf } from './exchange-stops.ts';
import { freePort } from './free-port.ts';
import { type Translation, translationOf } from './host-port-translation.ts';
import { nodeAddress } from './node-address.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';
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

interface Asked {
  readonly what: string;
  readonly object: string;
  readonly outer: Endpoint;
  readonly inner: Endpoint;
  readonly protocol: 'tcp' | 'udp';
}

function probeOne(run: ProbeRun, asked: Asked): void {
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
    ...{ node: run.node, asking: run.node, atMostMs },
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

function judge(run: ProbeRun, asked: Asked, { incoming, local, found }: Seen): void {
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
  const stop =
    found === undefined ? undefined : stopsOf(found).find((one) => !isEnd(one) && one.cause !== 'not-seen');
  if (stop !== undefined) {
    run.fail(what, findingOfStop(run, stop, { what: `TCP to ${what}`, where: 'node' }));
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

function notForwarded(
  { object, outer, inner, protocol }: Asked,
  seen: Translation | undefined,
  whose: string,
  severity: 'error' | 'warning',
) {
  const now = seen === undefined ? 'it was not seen' : `it goes on to ${seen.target} port ${seen.targetPort}`;
  return finding('P011', {
    object,
    severity,
    cause: `no rule leads ${whose} to ${endpointText(outer)} on to ${endpointText(inner)}`,
    evidence: [
      {
        source: 'trace of the packet (nftrace)',
        text: `${protocol} to ${endpointText(outer)}: behind all NAT ${now}`,
      },
      {
        source: 'capability portMappings of the attachment',
        text: `${endpointText(outer)} -> ${endpointText(inner)}`,
      },
    ],
    meaning: 'who connects to the node at this port does not reach the container',
    fix: ['cni-debug doctor --fix'],
  });
}

function closed({ inner, what }: Asked, { outcome }: Exchange) {
  const object = endpointText(inner);
  if (outcome.kind === 'refused')
    return finding('P010', {
      object,
      cause: `${object} refuses the connection: nobody in the container listens there`,
      evidence: [{ source: `connect(2) to ${what}`, text: outcome.error?.message ?? 'refused' }],
      severity: 'warning',
      meaning: 'the host port leads to the container, where no program takes it',
      fix: [`start what should listen on port ${inner.port}, on all addresses and not on 127.0.0.1`],
    });
  return finding('P012', {
    object,
    cause: `TCP to ${what}: the packet came to the container, and no answer came back`,
    evidence: [
      {
        source: `connect(2) to ${what}`,
        text: outcome.error?.message ?? `no answer in ${outcome.ms.toFixed(0)} ms`,
      },
    ],
    meaning: 'the host port leads to the container, which does not answer',
    fix: ['look at the rules of the container itself, and at its routes'],
  });
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
