import { parseIp } from '../cni/address.ts';
import { openInetSocket } from '../kernel/inet/inet-socket.ts';
import { SystemError } from '../kernel/system-error.ts';
import { sourceTowards, udpAttempt } from '../path/attempt.ts';
import { type Exchange, exchange } from '../path/exchange.ts';
import { COOKIE_BYTES } from '../path/flow.ts';
import { answersQuestion, encodeRootQuestion, QUESTION, responseCode } from './dns-message.ts';
import { exitEvidence, findingOfExchange, noRouteInside, silentNeighbours } from './exchange-finding.ts';
import type { ProbeRun } from './probe-run.ts';
import { type ResolverSettings, resolverSettings } from './resolver-settings.ts';
import { finding } from './rules.ts';

/** Whether the resolvers that the container asks do answer. */
export function probeDns(run: ProbeRun): void {
  let settings: ResolverSettings | undefined;
  try {
    settings = resolverSettings(run);
  } catch (error) {
    run.notLookedAt('DNS', error instanceof Error ? error.message : String(error));
    return;
  }
  if (settings === undefined) {
    run.notTried('DNS', 'no process runs in the container, and its result names no resolver');
    return;
  }
  if (settings.nameservers.length === 0) {
    run.fail('DNS', noResolver(run, settings));
    return;
  }
  for (const server of settings.nameservers) probeResolver(run, server, settings);
}

function noResolver({ subject }: ProbeRun, { source, text }: ResolverSettings) {
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

function probeResolver(run: ProbeRun, server: string, settings: ResolverSettings): void {
  const what = `resolver ${server}`;
  const [address = '', zone] = server.split('%');
  const ip = parseIp(address);
  if (ip === undefined) {
    run.fail(what, noAddress(run, server, settings));
    return;
  }
  // All of them together wait no longer than one.
  const share = Math.max(1000, run.options.timeoutMs / settings.nameservers.length);
  const atMostMs = run.timeFor(Math.min(share, run.options.timeoutMs));
  if (atMostMs === 0) {
    run.notTried(what, 'the time of the probe is over');
    return;
  }
  const scope = run.inside.links.find(({ name }) => name === zone)?.index;
  const target = { ip, port: 53, ...(scope === undefined ? {} : { scope }) };
  const socket = openInetSocket('udp', ip.length === 4 ? 4 : 6, run.pod);
  try {
    const source = sourceTowards(run.pod, target);
    socket.bind({ ip: source, port: 0 });
    socket.connect(target);
    const query = encodeRootQuestion();
    const sourcePort = socket.local().port;
    const cookie = query.subarray(0, COOKIE_BYTES);
    const found = exchange({
      ...{ node: run.node, asking: run.pod, atMostMs },
      flow: { protocol: 'udp', source, target: ip, sourcePort, targetPort: 53, cookie },
      attempt: udpAttempt(socket, query, (data) => answersQuestion(query, data)),
    });
    const { outcome } = found;
    if (outcome.answer !== undefined) {
      const code = responseCode(outcome.answer);
      run.ok(
        what,
        `answers ${code} in ${outcome.ms.toFixed(1)} ms (asked for the ${QUESTION}; ${settings.source})`,
      );
      return;
    }
    const question = { what: `DNS to ${server}`, object: server, target: ip, source };
    run.fail(what, findingOfExchange(run, found, question) ?? silentResolver(run, found, server, settings));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    run.fail(what, noRouteInside(run, server, error.message));
  } finally {
    socket.close();
  }
}

function noAddress({ subject }: ProbeRun, server: string, { source }: ResolverSettings) {
  return finding('P009', {
    object: `container ${subject.name}`,
    cause: `its resolv.conf names ${JSON.stringify(server)} as a resolver, which is no address`,
    evidence: [{ source, text: `nameserver ${server}` }],
    meaning: 'programs leave it out, and find no name where it is the only one',
    fix: ['write the address of a resolver there'],
  });
}

/** Of the node it was copied from, where such a resolver runs: in the container it is another loopback. */
function nobodyInside({ subject }: ProbeRun, server: string, source: string) {
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

function silentResolver(
  run: ProbeRun,
  found: Exchange,
  server: string,
  { source, nameservers }: ResolverSettings,
) {
  const { outcome, answer } = found;
  if (outcome.kind === 'refused' && /^(127\.|::1$)/.test(server)) return nobodyInside(run, server, source);
  const ms = outcome.ms.toFixed(0);
  const said =
    outcome.kind === 'refused'
      ? 'nobody listens at its port 53'
      : answer === undefined
        ? `it does not answer (waited ${ms} ms)`
        : `its answer does not come to the container (waited ${ms} ms)`;
  return finding('P008', {
    object: `resolver ${server}`,
    cause: `asked for the ${QUESTION}: ${said}`,
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
