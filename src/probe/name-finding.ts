import type { Finding } from '../findings/finding.ts';
import { questionText } from './dns-message.ts';
import { enter } from './enter.ts';
import { NXDOMAIN, type Reply } from './look-up.ts';
import type { ProbeRun } from './probe-run.ts';
import type { ResolverSettings } from './resolver-settings.ts';
import { finding } from './rules.ts';

/** That resolvers were asked for a name, and none has an address for it. */
export function unknownName(
  run: ProbeRun,
  name: string,
  { source, search, ndots }: ResolverSettings,
  replies: readonly Reply[],
): Finding {
  const said = replies.map(({ server, question, code, answer }) => ({
    source: `resolver ${server}`,
    text: `${questionText(question)}: ${code}${code === 'NOERROR' ? noAddressText(answer?.aliases) : ''}`,
  }));
  const list = search.length === 0 ? [] : [`search ${search.join(' ')}`];
  const dots = ndots === 1 ? [] : [`options ndots:${ndots}`];
  const settings = [...list, ...dots].join(', ');
  return finding('P016', {
    object: `name ${name}`,
    ...reason(run, name, replies),
    evidence: [...said, { source, text: settings || 'no search list: the name is asked for as it is' }],
    meaning: 'a program of the container that connects to it finds no address',
  });
}

/** What weighs most is said, as glibc does it: a name without an address, a resolver that fails, a name that is none. */
function reason(run: ProbeRun, name: string, replies: readonly Reply[]): { cause: string; fix: string[] } {
  const empty = replies.find(({ code }) => code === 'NOERROR');
  if (empty !== undefined) {
    const { server, question, answer } = empty;
    const alias = answer?.aliases.at(-1);
    const families = run.families.map((family) => `IPv${family}`).join(' or ');
    return {
      cause: `resolver ${server} knows ${question.name}${alias === undefined ? '' : `, an alias of ${alias}`}, and no address of ${families} for it`,
      fix: [`give the name an address of ${families}, which is what the container has`],
    };
  }
  const failed = replies.find(({ code }) => code !== NXDOMAIN);
  if (failed !== undefined) {
    const { server, question, code } = failed;
    return {
      cause: `resolver ${server}, asked for the ${questionText(question)}, answers ${code}`,
      fix: [`look after ${server}, and whom it asks: its log says why`],
    };
  }
  const asked = [...new Set(replies.map(({ question }) => question.name))];
  const [{ server, question }] = replies as readonly [Reply, ...Reply[]];
  return {
    cause: `resolver ${server} answers that there is no ${shortList(asked)} (${NXDOMAIN})`,
    fix: [
      `${enter(run.subject)}dig @${server} ${question.name}`,
      `correct the name; or, where ${name} is short for a longer one, "search" of its resolv.conf: of a pod that is dnsConfig`,
    ],
  };
}

const noAddressText = (aliases: readonly string[] = []): string =>
  `${aliases.map((alias) => `, an alias of ${alias}`).join('')}, no address`;

/** `a.lab.example, nor a`: the first ones, for a cause is one line. */
function shortList(names: readonly string[]): string {
  const more = names.length - MOST_IN_CAUSE;
  const rest = more > 0 ? [`${more} more`] : [];
  return [...names.slice(0, MOST_IN_CAUSE), ...rest].join(', nor ');
}

const MOST_IN_CAUSE = 4;
