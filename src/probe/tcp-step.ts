import { endpointText } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { SystemError } from '../kernel/system-error.ts';
import { sourceTowards, tcpAttempt } from '../path/attempt.ts';
import { type Exchange, exchange } from '../path/exchange.ts';
import { exitEvidence, findingOfExchange, noRouteInside, silentNeighbours } from './exchange-finding.ts';
import { freePort } from './free-port.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';

/** Whether a connection of TCP from the container to somewhere can be made. Answers whether it could. */
export function probeTcp(run: ProbeRun, target: Endpoint): boolean {
  const object = endpointText(target);
  const what = `TCP to ${object}`;
  const atMostMs = run.timeFor(run.options.timeoutMs);
  if (atMostMs === 0) {
    run.notTried(what, 'the time of the probe is over');
    return false;
  }
  let source: Uint8Array;
  try {
    source = sourceTowards(run.pod, target);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    run.fail(what, noRouteInside(run, object, error.message));
    return false;
  }
  const from = { ip: source, port: freePort(run.pod, source) };
  const found = exchange({
    ...{ node: run.node, asking: run.pod, atMostMs },
    flow: { protocol: 'tcp', source, target: target.ip, sourcePort: from.port, targetPort: target.port },
    attempt: tcpAttempt(run.pod, from, target),
  });
  const { kind, ms } = found.outcome;
  if (kind === 'answered') {
    run.ok(what, `connected in ${ms.toFixed(1)} ms${seenAs(found)}`);
    return true;
  }
  const question = { what, object, target: target.ip, source };
  run.fail(what, findingOfExchange(run, found, question) ?? unanswered(run, found, question));
  return false;
}

/** `, seen there as 198.51.100.1` */
function seenAs({ request, leftAs }: Exchange): string {
  const own = request?.hops[0]?.came?.source;
  return leftAs === undefined || own === leftAs.source ? '' : `, as ${leftAs.source}`;
}

function unanswered(
  run: ProbeRun,
  found: Exchange,
  { what, object }: { readonly what: string; readonly object: string },
) {
  const { outcome, answer, requestStop } = found;
  const said = outcome.error === undefined ? [] : [{ source: 'connect(2)', text: outcome.error.message }];
  const last = [...exitEvidence(run, found), ...silentNeighbours(run, found)];
  if (outcome.kind === 'refused')
    return finding('P010', {
      object,
      cause: `${object} refuses the connection: nobody listens there${requestStop === undefined ? '' : ', which is this node'}`,
      evidence: [...said, ...last],
      meaning: 'the network is sound as far as there: packets get there and back',
      fix: ['start what should listen there, or correct address and port'],
    });
  const kind = found.request === undefined ? passesBy(run) : undefined;
  if (kind !== undefined)
    return finding('P014', {
      object,
      cause: `${what}: no answer came; what a ${kind} sends does not pass this node's network, so nothing is known of where it stops`,
      evidence: [
        { source: 'connect(2)', text: outcome.error?.message ?? `no answer in ${outcome.ms.toFixed(0)} ms` },
      ],
      meaning:
        'what keeps it is behind this node: a firewall, a route back that is missing, or a host that is down',
      fix: ['tcpdump on the link that the interface sits on'],
    });
  const seen =
    answer === undefined
      ? 'no answer came back to this node'
      : 'an answer came, and the container has not heard it';
  const unmasked = isOwnAddress(found)
    ? `; it left with the container's own address, to which ${object} must know the way`
    : '';
  return finding('P014', {
    object,
    cause: `${what}: the packet left this node, and ${seen}${unmasked}`,
    evidence: [
      ...last,
      ...said,
      ...(last.length === 0
        ? [{ source: 'connect(2)', text: `no answer in ${outcome.ms.toFixed(0)} ms` }]
        : []),
    ],
    meaning:
      'what keeps it is behind this node: a firewall, a route back that is missing, or a host that is down',
    fix: [`on ${object}, or on the next hop: ip route get ${found.leftAs?.source ?? 'CONTAINER'}`],
  });
}

/** The kind of an interface whose packets no hook of the node sees. */
function passesBy({ inside, subject }: ProbeRun): string | undefined {
  const link = inside.links.find(({ name }) => name === subject.interfaces[0]?.ifName);
  return link?.kind === 'veth' ? undefined : (link?.kind ?? 'link of another kind');
}

function isOwnAddress({ request, leftAs }: Exchange): boolean {
  return leftAs !== undefined && request?.hops[0]?.came?.source === leftAs.source;
}
