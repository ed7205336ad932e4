import type { Evidence, Finding } from '../findings/finding.ts';
import { chainPlace } from '../path/dropping.ts';
import type { Stop, StopCause } from '../path/stop.ts';
import { enter } from './enter.ts';
import { droppedBy } from './firewall-finding.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';

/** Whose packet was stopped, and in whose namespace. */
export interface Stopped {
  /** `TCP to 192.0.2.2:80`, `the answer to TCP to 192.0.2.2:80` */
  readonly what: string;
  readonly where: 'node' | 'container';
}

/** The finding that a stop is. */
export function findingOfStop(run: ProbeRun, stop: Stop, stopped: Stopped): Finding {
  const { what, where } = stopped;
  const evidence = [...evidenceOf(stop, what)];
  const place = {
    object: where === 'node' ? 'this node' : `container ${run.subject.name}`,
    prefix: where === 'node' ? '' : enter(run.subject),
  };
  return (FINDINGS[stop.cause] ?? lost)({ stop, what, evidence, ...place }, () =>
    droppedBy(run, stop, stopped, evidence),
  );
}

interface Context {
  readonly stop: Stop;
  readonly what: string;
  readonly evidence: readonly Evidence[];
  readonly object: string;
  /** Of commands. */
  readonly prefix: string;
}

type ByCause = (context: Context, dropped: () => Finding) => Finding;

const FINDINGS: Readonly<Partial<Record<StopCause, ByCause>>> = {
  rule: (_, dropped) => dropped(),
  policy: (_, dropped) => dropped(),
  queue: (_, dropped) => dropped(),
  unreported: (_, dropped) => dropped(),
  'forwarding-off': forwardingOff,
  'reverse-path': reversePath,
  'no-route': noRoute,
  'refusing-route': refusingRoute,
  'martian-source': martianSource,
  'too-long': tooLong,
};

function forwardingOff({ stop, evidence, object, prefix }: Context): Finding {
  const names = (stop.sysctls ?? []).filter(({ value }) => value === '0').map(({ name }) => name);
  const setting = names.find((name) => /ip_forward$|all\.forwarding$/.test(name)) ?? names[0] ?? '';
  return finding('P002', {
    object,
    cause: `${stop.text}: what containers send to other networks is thrown away`,
    evidence,
    meaning: 'containers reach this node and each other, and nothing else',
    fix: [`${prefix}sysctl -w ${setting}=1`, `echo "${setting} = 1" > /etc/sysctl.d/90-cni.conf`],
    undo: [`${prefix}sysctl -w ${setting}=0`],
  });
}

function reversePath({ stop, what, evidence, object, prefix }: Context): Finding {
  const strict = (stop.sysctls ?? []).filter(({ value }) => value === '1');
  return finding('P003', {
    object,
    cause: `rp_filter drops ${what}: ${stop.text}`,
    evidence,
    meaning: 'what the container sends is thrown away before any rule sees it, without a word',
    fix: [`${prefix}ip route show table all`, ...strict.map(({ name }) => `${prefix}sysctl -w ${name}=2`)],
    undo: strict.map(({ name, value }) => `${prefix}sysctl -w ${name}=${value}`),
  });
}

function noRoute({ stop, evidence, object, prefix }: Context): Finding {
  return finding('P004', {
    object,
    cause: stop.text,
    evidence,
    meaning: 'packets to these addresses are given up where the route is missing',
    fix: [`${prefix}ip route add default via GATEWAY`],
    undo: [`${prefix}ip route del default via GATEWAY`],
  });
}

function refusingRoute({ stop, what, evidence, object, prefix }: Context): Finding {
  return finding('P015', {
    object,
    cause: `${what}: ${stop.text}`,
    evidence,
    meaning: 'the kernel throws these packets away by its routing, and no rule of a firewall sees them',
    fix: ['blackhole', 'prohibit', 'unreachable'].map(
      (type) => `${prefix}ip route show table all type ${type}`,
    ),
  });
}

function martianSource({ stop, what, evidence, object, prefix }: Context): Finding {
  return finding('P015', {
    object,
    cause: `${what}: ${stop.text}`,
    evidence,
    meaning:
      'another one has the address of the container, this node mostly: what it sends is taken for forged',
    fix: [`${prefix}ip address`],
  });
}

function tooLong({ stop, what, evidence, object }: Context): Finding {
  return finding('P007', {
    object,
    cause: `${what}: ${stop.text}`,
    evidence,
    meaning:
      'small packets pass and long ones do not: connections are made, and hang at the first long answer',
    fix: ['give the network the "mtu" of the link that leads on, and attach its containers anew'],
  });
}

function lost({ stop, what, evidence, object }: Context): Finding {
  return finding('P014', {
    object,
    cause: `${what}: ${stop.text}`,
    evidence,
    meaning: 'the packet is lost here, and neither a rule nor a route nor a setting that we know says why',
    fix: ['tcpdump -ni any', 'bridge link', 'bridge vlan'],
  });
}

function* evidenceOf(
  { rule, counter, sysctls = [], layer, hook, isBehind, text }: Stop,
  what: string,
): Generator<Evidence> {
  const place = `${hook}${layer === 'bridge' ? ' of the bridge' : ''}`;
  if (hook === undefined) yield { source: 'the system call', text };
  else
    yield {
      source: 'trace of the packet (nftrace)',
      text: isBehind
        ? `${what}: seen last behind ${place}, and not at the next hook`
        : `${what}: came to ${place}, and no further${rule === undefined ? '' : `: ${rule.text}`}`,
    };
  if (counter !== undefined)
    yield {
      source: rule === undefined ? 'nstat' : `counter of ${chainPlace(rule)}`,
      text: `${rule === undefined ? counter.name : 'packets'} ${counter.before} -> ${counter.after}`,
    };
  for (const { name, value } of sysctls) yield { source: 'sysctl', text: `${name} = ${value}` };
}
