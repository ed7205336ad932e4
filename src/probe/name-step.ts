import type { Ip } from '../cni/address.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import { containerFile } from './container-file.ts';
import { addressesInHosts } from './hosts-file.ts';
import { type LookedUp, lookUp } from './look-up.ts';
import { unknownName } from './name-finding.ts';
import type { ProbeRun } from './probe-run.ts';
import { resolverSettings } from './resolver-settings.ts';
import type { NamedTarget } from './target.ts';

/** What a process of the container would connect to by a name, of each family at most two. Throws as lookUp and containerFile. */
export function probeName(
  run: ProbeRun,
  { name, port }: NamedTarget,
  answering: readonly string[],
): Endpoint[] {
  const what = `name ${name}`;
  const hosts = containerFile(run, '/etc/hosts');
  const written = addressesInHosts(hosts?.text ?? '', name).filter((ip) =>
    run.families.includes(familyOf(ip)),
  );
  if (hosts !== undefined && written.length > 0) return found(run, what, written, port, hosts.source);
  const settings = resolverSettings(run);
  if (settings === undefined) {
    run.notLookedAt(what, 'no process runs in the container, and its result names no resolver');
    return [];
  }
  if (answering.length === 0) {
    run.notTried(what, 'no resolver of the container answers');
    return [];
  }
  const lookedUp = lookUp(run, name, settings, answering);
  const { addresses, replies, isCutShort } = lookedUp;
  if (addresses.length > 0) return found(run, what, addresses, port, sourceOf(lookedUp));
  if (isCutShort) run.notLookedAt(what, 'the time of the probe is over');
  else if (replies.length === 0) run.notTried(what, 'no resolver of the container answers when asked for it');
  else run.fail(what, unknownName(run, name, settings, replies));
  return [];
}

const MOST_OF_A_FAMILY = 2;

const familyOf = ({ length }: Ip): 4 | 6 => (length === 4 ? 4 : 6);

function found(run: ProbeRun, what: string, all: readonly Ip[], port: number, source: string): Endpoint[] {
  const distinct = [...new Map(all.map((ip) => [ipText(ip), ip])).values()];
  const tried = ([4, 6] as const).flatMap((family) =>
    distinct.filter((ip) => familyOf(ip) === family).slice(0, MOST_OF_A_FAMILY),
  );
  const more = distinct.length - tried.length;
  const rest = more === 0 ? '' : ` and ${more} more, which are not tried`;
  run.ok(what, `is ${tried.map(ipText).join(', ')}${rest} (${source})`);
  return tried.map((ip) => ({ ip, port }));
}

/** `192.0.2.2 says so of web.lab.example, an alias of www.lab.example` */
function sourceOf({ replies }: LookedUp): string {
  const last = replies.findLast(({ answer }) => (answer?.addresses.length ?? 0) > 0);
  const alias = last?.answer?.aliases.at(-1);
  const said = `resolver ${last?.server} says so of ${last?.question.name}`;
  return alias === undefined ? said : `${said}, an alias of ${alias}`;
}
