import { askByArp } from '../kernel/inet/arp.ts';
import { openEcho } from '../kernel/inet/echo.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import { linkTowards } from '../kernel/netlink/route-lookup.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import { runIn } from '../kernel/netns.ts';
import { readSysctl } from '../kernel/sysctl.ts';
import { SystemError } from '../kernel/system-error.ts';
import { echoAttempt, sourceTowards } from '../path/attempt.ts';
import { exchange, stopsOf } from '../path/exchange.ts';
import { newCookie } from '../path/flow.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';
import { findingOfStop } from './stop-finding.ts';

/** Whether the container answers the node. */
export function probeFromNode(run: ProbeRun, address: Uint8Array): void {
  const text = ipText(address);
  const what = `${text} from the node`;
  const kind = kindOfLink(run, text);
  if (kind !== 'veth') {
    run.notTried(what, `a ${kind ?? 'link of its own'} hides the container from the node that it is on`);
    return;
  }
  if (ignoresEchoes(run, address)) {
    run.notTried(what, 'the container is told to answer no echo (icmp_echo_ignore_all)');
    return;
  }
  const atMostMs = run.timeFor(Math.min(run.options.timeoutMs, LONGEST_MS));
  if (atMostMs === 0) {
    run.notTried(what, 'the time of the probe is over');
    return;
  }
  let source: Uint8Array;
  try {
    source = sourceTowards(run.node, { ip: address, port: 0 });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const stop = { cause: 'no-route', text: `no route of this node leads to ${text}` } as const;
    run.fail(what, findingOfStop(run, stop, { what: `an echo to ${text}`, where: 'node' }));
    return;
  }
  const cookie = newCookie();
  using echo = openEcho(address.length === 4 ? 4 : 6, run.node, source);
  const found = exchange({
    ...{ node: run.node, asking: run.node, answering: run.pod, atMostMs },
    flow: { protocol: 'icmp', source, target: address, cookie },
    attempt: echoAttempt(echo, address, cookie),
  });
  if (found.outcome.kind === 'answered') {
    run.ok(what, `answers an echo in ${found.outcome.ms.toFixed(1)} ms`);
    return;
  }
  const [stopped] = stopsOf(found);
  if (stopped === undefined) {
    run.fail(what, silent(run, address, source));
    return;
  }
  const { stop, where } = stopped;
  const dropped = findingOfStop(run, stop, { what: `an echo of the node to ${text}`, where });
  // The container may want no echoes, and all else.
  const isOwnRule = where === 'container' && stop.cause === 'rule';
  run.fail(what, isOwnRule ? { ...dropped, severity: 'warning' } : dropped);
}

const LONGEST_MS = 1000;

function kindOfLink({ inside }: ProbeRun, address: string): string | undefined {
  const held = inside.addresses.find((one) => one.address === address);
  return inside.links.find(({ index }) => index === held?.index)?.kind;
}

function ignoresEchoes({ pod }: ProbeRun, { length }: Uint8Array): boolean {
  const path = length === 4 ? 'net/ipv4/icmp_echo_ignore_all' : 'net/ipv6/icmp/echo_ignore_all';
  try {
    return runIn(pod, () => readSysctl(path)) === '1';
  } catch {
    return false;
  }
}

function silent(run: ProbeRun, address: Uint8Array, source: Uint8Array) {
  const text = ipText(address);
  const neighbour = neighbourText(run, address, source);
  return finding('P012', {
    object: `container ${run.subject.name}`,
    severity: neighbour.isThere ? 'warning' : 'error',
    cause: `${text} does not answer the node${neighbour.isThere ? ', though it is there' : ''}`,
    evidence: [
      { source: `echo of ICMP from ${ipText(source)}`, text: 'no answer' },
      { source: 'ARP', text: neighbour.text },
    ],
    meaning: neighbour.isThere
      ? 'what the node sends to it is lost, or the container has a rule of its own against echoes: probes of the kubelet may fail, too'
      : 'the node does not reach it: its probes fail, and its host ports lead nowhere',
    fix: [`ip route get ${text}`, `ip neighbour show ${text}`],
  });
}

function neighbourText(
  run: ProbeRun,
  target: Uint8Array,
  source: Uint8Array,
): { isThere: boolean; text: string } {
  const socket = openRouteSocket();
  try {
    const index = linkTowards(socket, target);
    const link = run.outside.links.find((one) => one.index === index);
    if (link === undefined || target.length !== 4) return { isThere: true, text: 'not asked' };
    const answer = askByArp(run.node, { link, source, target, atMostMs: run.timeFor(400) });
    if (answer === undefined) return { isThere: false, text: `nobody answers on "${link.name}" who has it` };
    return { isThere: true, text: `${answer.mac} answers on "${link.name}"` };
  } finally {
    socket.close();
  }
}
