import { parseIp } from '../cni/address.ts';
import type { Finding } from '../findings/finding.ts';
import { openInetSocket } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { SystemError } from '../kernel/system-error.ts';
import { sourceTowards, udpAttempt } from '../path/attempt.ts';
import { exchange } from '../path/exchange.ts';
import { COOKIE_BYTES } from '../path/flow.ts';
import { answersQuestion, type DnsQuestion, encodeQuestion } from './dns-message.ts';
import { findingOfExchange, noRouteInside } from './exchange-finding.ts';
import type { ProbeRun } from './probe-run.ts';
import { isLoopback, noAddress, silentResolver } from './resolver-finding.ts';
import type { ResolverSettings } from './resolver-settings.ts';

/** What came of a question to a resolver. */
export type Asked =
  | { readonly kind: 'answered'; readonly message: Buffer; readonly ms: number; readonly target: Endpoint }
  /** It has not answered, and why. */
  | { readonly kind: 'failed'; readonly finding: Finding }
  /** The time of the probe was over. */
  | { readonly kind: 'late' };

/** Asks a resolver of the container by UDP, as a process in it would. Throws NetlinkError and SystemError. */
export function askResolver(
  run: ProbeRun,
  server: string,
  settings: ResolverSettings,
  question: DnsQuestion,
): Asked {
  const target = resolverTarget(run, server);
  if (target === undefined) return { kind: 'failed', finding: noAddress(run, server, settings) };
  // All of them together wait no longer than one.
  const share = Math.max(1000, run.options.timeoutMs / settings.nameservers.length);
  const atMostMs = run.timeFor(Math.min(share, run.options.timeoutMs));
  if (atMostMs === 0) return { kind: 'late' };
  const { ip } = target;
  using socket = openInetSocket('udp', ip.length === 4 ? 4 : 6, run.pod);
  try {
    const source = sourceTowards(run.pod, target);
    socket.bind({ ip: source, port: 0 });
    socket.connect(target);
    const query = encodeQuestion(question);
    const sourcePort = socket.local().port;
    const cookie = query.subarray(0, COOKIE_BYTES);
    const found = exchange({
      ...{ node: run.node, asking: run.pod, atMostMs },
      flow: { protocol: 'udp', source, target: ip, sourcePort, targetPort: target.port, cookie },
      attempt: udpAttempt(socket, query, (data) => answersQuestion(query, data)),
    });
    const { answer, ms } = found.outcome;
    if (answer !== undefined) return { kind: 'answered', message: answer, ms, target };
    const sent = { what: `DNS to ${server}`, object: server, target: ip, source };
    const reason = isLoopback(server) ? undefined : findingOfExchange(run, found, sent);
    return { kind: 'failed', finding: reason ?? silentResolver(run, found, { server, settings, question }) };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { kind: 'failed', finding: noRouteInside(run, server, error.message) };
  }
}

/** Undefined for what is no address; one may have a zone, `fe80::1%eth0`. */
function resolverTarget({ inside }: ProbeRun, server: string): Endpoint | undefined {
  const [address = '', zone] = server.split('%');
  const ip = parseIp(address);
  const scope = inside.links.find(({ name }) => name === zone)?.index;
  return ip && { ip, port: DNS_PORT, ...(scope === undefined ? {} : { scope }) };
}

const DNS_PORT = 53;
