import type { Evidence, Finding } from '../findings/finding.ts';
import { chainPlace } from '../path/dropping.ts';
import type { Stop } from '../path/stop.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding, type RuleId } from './rules.ts';

/** Whose packet was stopped, and in whose namespace. */
export interface Stopped {
  /** `TCP to 192.0.2.2:80`, `the answer of 192.0.2.2:80` */
  readonly what: string;
  readonly where: 'node' | 'container';
}

/** The finding that a stop is. Of what is no reason by itself (`not-seen`, `delivered`), undefined is not: it is P014. */
export function findingOfStop(run: ProbeRun, stop: Stop, stopped: Stopped): Finding {
  const evidence = [...evidenceOf(stop, stopped)];
  const { cause } = stop;
  const place = stopped.where === 'node' ? 'this node' : `container ${run.subject.name}`;
  if (cause === 'rule' || cause === 'policy' || cause === 'queue' || cause === 'unreported')
    return droppedBy(run, stop, stopped, evidence);
  const enter = stopped.where === 'node' ? '' : `nsenter --net=${run.subject.netns} `;
  if (cause === 'forwarding-off') {
    const names = (stop.sysctls ?? []).filter(({ value }) => value === '0').map(({ name }) => name);
    const setting = names.find((name) => /ip_forward$|all\.forwarding$/.test(name)) ?? names[0] ?? '';
    return finding('P002', {
      object: place,
      cause: `${stop.text}: what containers send to other networks is thrown away`,
      evidence,
      meaning: 'containers reach this node and each other, and nothing else',
      fix: [
        `${enter}sysctl -w ${setting}=1`,
        `and for the next boot: echo "${setting} = 1" > /etc/sysctl.d/90-cni.conf`,
      ],
      undo: [`${enter}sysctl -w ${setting}=0`],
    });
  }
  if (cause === 'reverse-path') {
    const strict = (stop.sysctls ?? []).filter(({ value }) => value === '1');
    return finding('P003', {
      object: place,
      cause: `rp_filter drops ${stopped.what}: ${stop.text}`,
      evidence,
      meaning: 'what the container sends is thrown away before any rule sees it, without a word',
      fix: [
        'ip route show table all: mend the route that leads to the container by another link',
        ...strict.map(({ name }) => `${enter}sysctl -w ${name}=2, where the detour is wanted`),
      ],
      undo: strict.map(({ name, value }) => `${enter}sysctl -w ${name}=${value}`),
    });
  }
  return byRoute(stop, stopped, { place, enter, evidence });
}

interface Place {
  readonly place: string;
  readonly enter: string;
  readonly evidence: readonly Evidence[];
}

function byRoute(stop: Stop, { what }: Stopped, { place, enter, evidence }: Place): Finding {
  const cause = `${what}: ${stop.text}`;
  if (stop.cause === 'no-route')
    return finding('P004', {
      object: place,
      cause: stop.text,
      evidence,
      meaning: 'packets to these addresses are given up where the route is missing',
      fix: [`${enter}ip route add default via GATEWAY, or a route to where they should go`],
      undo: [`${enter}ip route del default via GATEWAY`],
    });
  if (stop.cause === 'refusing-route' || stop.cause === 'martian-source')
    return finding('P015', {
      object: place,
      cause,
      evidence,
      meaning: 'the kernel throws these packets away by its routing, and no rule of a firewall sees them',
      fix:
        stop.cause === 'refusing-route'
          ? [`${enter}ip route show table all type blackhole; and the same for prohibit and unreachable`]
          : ['ip address: take away the address of the container that this node has, too'],
    });
  if (stop.cause === 'too-long')
    return finding('P007', {
      object: place,
      cause,
      evidence,
      meaning:
        'small packets pass and long ones do not: connections are made, and hang at the first long answer',
      fix: [
        'give the network the MTU of the link that leads on ("mtu" of the bridge plugin), and attach anew',
      ],
    });
  return finding('P014' satisfies RuleId, {
    object: place,
    cause,
    evidence,
    meaning: 'the packet is lost here, and neither a rule nor a route nor a setting that we know says why',
    fix: ['tcpdump -ni any on the node, while the probe is made again'],
  });
}

function droppedBy(
  run: ProbeRun,
  stop: Stop,
  { what, where }: Stopped,
  evidence: readonly Evidence[],
): Finding {
  const { rule, hook, text } = stop;
  const at = where === 'node' ? '' : `in container ${run.subject.name}, `;
  const enter = where === 'node' ? '' : `nsenter --net=${run.subject.netns} `;
  const object = at + (rule === undefined ? `hook ${hook ?? 'output'}` : chainPlace(rule));
  const meaning =
    stop.cause === 'queue'
      ? 'a program gets the packet, and does not give it back'
      : 'packets like this one are thrown away, whatever the container does';
  return finding('P001', {
    object,
    cause: rule === undefined ? `${what}: ${text}` : `${what} is dropped by ${text}`,
    evidence,
    meaning,
    ...mendOf(rule, hook, enter),
  });
}

/** Rules are somebody's: they are shown first, and a policy stays as it is. */
function mendOf(rule: Stop['rule'], hook: Stop['hook'], enter: string): Pick<Finding, 'fix' | 'undo'> {
  if (rule === undefined)
    return { fix: [`${enter}iptables-legacy-save; ip6tables-legacy-save; ipvsadm -ln`], undo: [] };
  const { family, table, chain, handle, kind, isLegacy } = rule;
  if (isLegacy) {
    const command = `${enter}${family === 'ip6' ? 'ip6tables' : 'iptables'}-legacy -t ${table}`;
    const accept = `${chain} -s CONTAINER -j ACCEPT`;
    return {
      fix: [`${command} -vnL ${chain} --line-numbers`, `${command} -I ${accept}`],
      undo: [`${command} -D ${accept}`],
    };
  }
  const name = `${family} ${table} ${chain}`;
  if (kind === 'policy')
    return {
      fix: [
        `${enter}nft list chain ${name}`,
        `${enter}nft insert rule ${name} ${hook === 'forward' ? 'iifname BRIDGE ' : ''}accept, and one with oifname for the answers`,
      ],
      undo: [`${enter}nft delete rule ${name} handle HANDLE`],
    };
  return {
    fix: [
      `${enter}nft -a list chain ${name}`,
      `${enter}nft delete rule ${name} handle ${handle}, if nobody wants it`,
    ],
    undo: [`${enter}nft add rule ${name} ${rule.text}`],
  };
}

function* evidenceOf(stop: Stop, { what }: Stopped): Generator<Evidence> {
  const { rule, counter, sysctls = [], layer, hook, isBehind } = stop;
  const place = hook === undefined ? '' : `, ${layer === 'bridge' ? 'of the bridge' : 'of IP'}`;
  if (hook !== undefined)
    yield {
      source: 'trace of the packet (nftrace)',
      text: isBehind
        ? `${what}: seen last behind ${hook}${place}, before the next hook`
        : `${what}: seen last in ${hook}${place}${rule === undefined ? '' : `; ${stop.text}`}`,
    };
  else yield { source: 'the system call', text: stop.text };
  if (counter !== undefined)
    yield {
      source: rule === undefined ? 'nstat' : `counter of ${chainPlace(rule)}`,
      text: `${rule === undefined ? `${counter.name} ` : 'packets '}${counter.before} -> ${counter.after}`,
    };
  for (const { name, value } of sysctls) yield { source: 'sysctl', text: `${name} = ${value}` };
}
