import type { Finding } from '../findings/finding.ts';
import type { Exchange } from '../path/exchange.ts';
import { type DnsQuestion, questionText } from './dns-message.ts';
import { exitEvidence, silentNeighbours } from './exchange-finding.ts';
import type { ProbeRun } from './probe-run.ts';
import type { ResolverSettings } from './resolver-settings.ts';
import { finding } from './rules.ts';

/** A resolver that was asked, and has not answered. */
export interface SilentResolver {
  readonly server: string;
  readonly settings: ResolverSettings;
  readonly question: DnsQuestion;
}

export const isLoopback = (server: string): boolean => /^(127\.|::1$)/.test(server);

export function noResolver({ subject }: ProbeRun, { source, text }: ResolverSettings): Finding {
  return finding('P009', {
    object: `container ${subject.name}`,
    cause: text === undefined ? 'there is no resolv.conf in it' : 'its resolv.conf names no resolver',
    evidence: [{ source, text: text === undefined ? 'there is no such file' : text.trim() || 'empty' }],
    meaning:
      'without one, programs ask 127.0.0.1, where nobody answers in most containers: they find no name',
    fix: [
      'of a pod: its dnsPolicy and dnsConfig, and the resolv.conf that the kubelet is given',
      'of others: "dns" of the network, or the runtime\'s option for it',
    ],
  });
}

export function noAddress({ subject }: ProbeRun, server: string, { source }: ResolverSettings): Finding {
  return finding('P009', {
    object: `container ${subject.name}`,
    cause: `its resolv.conf names ${JSON.stringify(server)} as a resolver, which is no address`,
    evidence: [{ source, text: `nameserver ${server}` }],
    meaning: 'programs leave it out, and find no name where it is the only one',
    fix: ['write the address of a resolver there'],
  });
}

export function silentResolver(run: ProbeRun, found: Exchange, silent: SilentResolver): Finding {
  const { server, question } = silent;
  const { source, nameservers } = silent.settings;
  const { outcome, answer } = found;
  if (isLoopback(server)) return nobodyInside(run, server, source);
  const ms = outcome.ms.toFixed(0);
  const said =
    outcome.kind === 'refused'
      ? 'nobody listens at its port 53'
      : answer === undefined
        ? `it does not answer (waited ${ms} ms)`
        : `its answer does not come to the container (waited ${ms} ms)`;
  return finding('P008', {
    object: `resolver ${server}`,
    cause: `asked for the ${questionText(question)}: ${said}`,
    severity: nameservers.length > 1 ? 'warning' : 'error',
    // Where nothing else of it was heard either.
    follows: run.findings.filter(({ id, object }) => id === 'P014' && object.startsWith(`${server}:`)),
    evidence: [
      { source, text: `nameserver ${server}` },
      ...exitEvidence(run, found),
      ...silentNeighbours(run, found),
      ...(outcome.error === undefined ? [] : [{ source: 'the system call', text: outcome.error.message }]),
    ],
    meaning: 'each name that the container looks up takes seconds, or is not found at all',
    fix: [`look after ${server}, or have the container ask another one`],
  });
}

/** Of the node it was copied from, where such a resolver runs: in the container it is another loopback. */
function nobodyInside({ subject }: ProbeRun, server: string, source: string): Finding {
  return finding('P009', {
    object: `container ${subject.name}`,
    cause: `its resolv.conf names ${server}, the container itself, and no resolver listens in it`,
    evidence: [{ source, text: `nameserver ${server}` }],
    meaning: 'the container finds no name: a resolver of the node is not there in its namespace',
    fix: [
      'give the runtime a resolv.conf with addresses that containers reach: /run/systemd/resolve/resolv.conf has them',
    ],
  });
}
