import type { Evidence, Finding } from '../findings/finding.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import type { Neighbour } from '../kernel/netlink/neighbour.ts';
import { listNeighbours } from '../kernel/netlink/neighbour.ts';
import { linkTowards } from '../kernel/netlink/route-lookup.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import type { Exchange } from '../path/exchange.ts';
import { isEnd } from '../path/stop.ts';
import { uncontainable } from '../path/uncontainable.ts';
import { enter } from './enter.ts';
import { notMasqueraded } from './masquerade-finding.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';
import { findingOfStop } from './stop-finding.ts';

/** What was asked, in words. */
export interface Question {
  /** `TCP to 192.0.2.2:80` */
  readonly what: string;
  /** `192.0.2.2:80` */
  readonly object: string;
  readonly target: Uint8Array;
  readonly source: Uint8Array;
}

/**
 * Why a question had no answer. Undefined where it left the node, or was taken by the one who was asked, and nothing says why it
 * was not answered: the one who asks knows best what that means.
 */
export function findingOfExchange(
  run: ProbeRun,
  exchange: Exchange,
  question: Question,
): Finding | undefined {
  const { what, target } = question;
  const { innerStop, requestStop, answerStop, outcome } = exchange;
  if (innerStop !== undefined) return findingOfStop(run, innerStop, { what, where: 'container' });
  if (outcome.kind === 'forbidden') {
    const text = `the container's kernel does not send it: ${outcome.error?.message}`;
    return findingOfStop(run, { cause: 'unreported', text }, { what, where: 'container' });
  }
  if (requestStop?.cause === 'not-seen') return notSeen(run, exchange, question);
  if (requestStop !== undefined && !isEnd(requestStop))
    return findingOfStop(run, requestStop, { what, where: 'node' });
  if (answerStop !== undefined && !isEnd(answerStop))
    return findingOfStop(run, answerStop, { what: `the answer to ${what}`, where: 'node' });
  if (outcome.kind === 'refused' || requestStop !== undefined) return undefined;
  return notMasqueraded(run, exchange, question, target);
}

function notSeen(
  run: ProbeRun,
  { outcome }: Exchange,
  { what, object, target }: Question,
): Finding | undefined {
  const inside = openRouteSocket(run.pod);
  try {
    if (linkTowards(inside, target) === undefined) return noRouteInside(run, object, outcome.error?.message);
  } finally {
    inside.close();
  }
  if (outcome.kind === 'refused') return undefined;
  const elsewhere = uncontainable(run.node, run.pod, target, true);
  if (elsewhere !== undefined) return undefined;
  return finding('P014', {
    object,
    cause: `${what}: the container sent it, and it never came to the first hook of this node`,
    evidence: [
      { source: 'trace of the packet (nftrace)', text: 'not seen in prerouting, of the bridge or of IP' },
      ...(outcome.error === undefined ? [] : [{ source: 'the system call', text: outcome.error.message }]),
    ],
    meaning:
      'it is lost between the container and the node: the link, the bridge, or a program of tc or eBPF',
    fix: ['bridge link', 'bridge vlan', 'tc filter show dev VETH ingress'],
  });
}

export function noRouteInside(run: ProbeRun, object: string, error: string | undefined): Finding {
  const { name, interfaces } = run.subject;
  const command = enter(run.subject);
  const [gateway] = interfaces.flatMap(({ gateways }) => gateways);
  const via = gateway === undefined ? 'GATEWAY' : ipText(gateway);
  const routes = run.inside.routes.filter(({ table }) => table === RT_TABLE_MAIN).map(({ dst }) => dst);
  return finding('P004', {
    object: `container ${name}`,
    cause: `no route of the container leads to ${object}`,
    evidence: [
      ...(error === undefined ? [] : [{ source: 'the system call', text: error }]),
      { source: `${command}ip route`, text: routes.join(', ') || 'there are none' },
    ],
    meaning: 'the container cannot even send to there',
    fix: [`${command}ip route add default via ${via}`],
    undo: [`${command}ip route del default via ${via}`],
  });
}

/** What the node knows of who should have taken the packet from it: the neighbours that do not answer. */
export function silentNeighbours(run: ProbeRun, { oif, leftAs }: Exchange): Evidence[] {
  if (oif === undefined) return [];
  const link = run.outside.links.find(({ index }) => index === oif)?.name ?? `${oif}`;
  const gateways = run.outside.routes.filter((route) => route.oif === oif).map(({ gateway }) => gateway);
  const isNext = ({ address }: Neighbour): boolean =>
    address === leftAs?.target || gateways.includes(address);
  const socket = openRouteSocket();
  try {
    return listNeighbours(socket)
      .filter(({ index, state }) => index === oif && (state & (NUD_INCOMPLETE | NUD_FAILED)) !== 0)
      .filter(isNext)
      .map(({ address }) => ({
        source: `ip neighbour show dev ${link}`,
        text: `${address} does not answer: nobody on the link takes the packet`,
      }));
  } finally {
    socket.close();
  }
}

/** `seen last leaving "up0", from 198.51.100.1` */
export function exitEvidence(run: ProbeRun, { oif, leftAs }: Exchange): Evidence[] {
  if (leftAs === undefined) return [];
  const link = run.outside.links.find(({ index }) => index === oif)?.name ?? 'a link';
  const port = leftAs.targetPort === undefined ? '' : ` port ${leftAs.targetPort}`;
  return [
    {
      source: 'trace of the packet (nftrace)',
      text: `seen last behind postrouting, leaving by "${link}" from ${leftAs.source} to ${leftAs.target}${port}`,
    },
  ];
}

/** include/uapi/linux/rtnetlink.h and neighbour.h */
const RT_TABLE_MAIN = 254;
const NUD_INCOMPLETE = 0x01;
const NUD_FAILED = 0x20;
