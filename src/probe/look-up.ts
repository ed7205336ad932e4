import type { Ip } from '../cni/address.ts';
import { askResolver } from './ask-resolver.ts';
import { askByTcp } from './dns-by-tcp.ts';
import { type DnsAnswer, type DnsQuestion, decodeAnswer } from './dns-message.ts';
import { encodeName } from './dns-name.ts';
import type { ProbeRun } from './probe-run.ts';
import type { ResolverSettings } from './resolver-settings.ts';
import { namesToAsk } from './search-list.ts';

/** What a resolver said to one question. */
export interface Reply {
  readonly server: string;
  readonly question: DnsQuestion;
  /** `NOERROR`; or in words that it said nothing that can be read. */
  readonly code: string;
  readonly answer?: DnsAnswer;
}

export interface LookedUp {
  readonly addresses: readonly Ip[];
  /** In the order in which they came. */
  readonly replies: readonly Reply[];
  /** The time of the probe was over before all was asked. */
  readonly isCutShort: boolean;
}

/**
 * Looks a name up as glibc does: of one name after the other in the search list all addresses, of the families that the container
 * has, from the first resolver that has an answer. One that is silent is a finding, and is not asked again. Throws NetlinkError
 * and SystemError.
 */
export function lookUp(
  run: ProbeRun,
  name: string,
  settings: ResolverSettings,
  answering: readonly string[],
): LookedUp {
  const replies: Reply[] = [];
  const servers = new Set(answering);
  let isCutShort = false;
  /** Undefined when nobody has an answer. */
  const ask = (question: DnsQuestion): DnsAnswer | undefined => {
    for (const server of servers) {
      const reply = replyOf(run, server, settings, question);
      if (reply === 'late') {
        isCutShort = true;
        return undefined;
      }
      if (reply === 'silent') {
        servers.delete(server);
        continue;
      }
      replies.push(reply);
      if (reply.answer !== undefined && FINAL.includes(reply.code)) return reply.answer;
    }
    return undefined;
  };
  for (const asked of namesToAsk(name, settings)) {
    // A domain that makes it too long.
    if (encodeName(asked) === undefined) continue;
    const addresses: Ip[] = [];
    for (const family of run.families) {
      const answer = ask({ type: family === 4 ? 'A' : 'AAAA', name: asked });
      addresses.push(...(answer?.addresses ?? []));
      // It is so for all types.
      if (answer?.code === NXDOMAIN || isCutShort) break;
    }
    if (addresses.length > 0 || isCutShort) return { addresses, replies, isCutShort };
  }
  return { addresses: [], replies, isCutShort };
}

export const NXDOMAIN = 'NXDOMAIN';
/** With any other, the next resolver is asked. */
const FINAL = ['NOERROR', NXDOMAIN];

function replyOf(
  run: ProbeRun,
  server: string,
  settings: ResolverSettings,
  question: DnsQuestion,
): Reply | 'late' | 'silent' {
  const asked = askResolver(run, server, settings, question);
  if (asked.kind === 'late') return 'late';
  if (asked.kind === 'failed') {
    run.fail(`resolver ${server}`, asked.finding);
    return 'silent';
  }
  const answer = decodeAnswer(question, asked.message);
  if (answer === undefined) return { server, question, code: 'what is no message of DNS' };
  if (!answer.isTruncated) return { server, question, code: answer.code, answer };
  const message = askByTcp(run, asked.target, question);
  const whole = message && decodeAnswer(question, message);
  if (whole === undefined || whole.isTruncated)
    return { server, question, code: 'more than a datagram holds, and by TCP nothing' };
  return { server, question, code: whole.code, answer: whole };
}
