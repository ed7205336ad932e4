import { ipText } from '../kernel/netlink/ip-address.ts';
import { SystemError } from '../kernel/system-error.ts';
import { sourceTowards } from '../path/attempt.ts';
import type { PathMtu } from './path-mtu.ts';
import { pathMtu } from './path-mtu.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';

/** Whether packets that are as long as the container's link takes get to a host. */
export function probeMtu(run: ProbeRun, target: Uint8Array): void {
  const text = ipText(target);
  const what = `path MTU to ${text}`;
  let source: Uint8Array;
  try {
    source = sourceTowards(run.pod, { ip: target, port: 0 });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    run.notTried(what, error.message);
    return;
  }
  const linkMtu = mtuOf(run, ipText(source));
  if (linkMtu === undefined) {
    run.notTried(what, `no link of the container has ${ipText(source)}`);
    return;
  }
  const found = measured(run, { source, target, linkMtu });
  if (found.kind === 'whole')
    run.ok(what, `is ${linkMtu}, as that of the link (there and back in ${found.ms.toFixed(1)} ms)`);
  else if (found.kind === 'unknown')
    run.notTried(what, `${text} answers no echo of ICMP, by which it is measured`);
  else run.fail(what, smaller(run, text, linkMtu, found));
}

function measured(
  run: ProbeRun,
  asked: { source: Uint8Array; target: Uint8Array; linkMtu: number },
): PathMtu {
  try {
    return pathMtu(run.pod, asked, (ms) => run.timeFor(ms));
  } catch (error) {
    if (error instanceof SystemError) return { kind: 'unknown' };
    throw error;
  }
}

function mtuOf({ inside }: ProbeRun, address: string): number | undefined {
  const held = inside.addresses.find((one) => one.address === address);
  return inside.links.find(({ index }) => index === held?.index)?.mtu;
}

/** Where somebody says so, connections get over it. */
function smaller(
  run: ProbeRun,
  target: string,
  linkMtu: number,
  found: Extract<PathMtu, { kind: 'too-long' | 'vanishes' }>,
) {
  const isSaid = found.kind === 'too-long';
  const fits = isSaid ? found.mtu : found.longest;
  const says = isSaid
    ? `${found.from} says that ${fits === undefined ? 'less' : `${fits} bytes`} fit`
    : `longer ones than ${fits} bytes vanish, and nobody says so`;
  return finding('P007', {
    object: `path to ${target}`,
    severity: isSaid ? 'warning' : 'error',
    cause: `packets of ${linkMtu} bytes, which the container's link takes, do not get to ${target}: ${says}`,
    evidence: [
      {
        source: `echo of ICMP with "don't fragment" to ${target}`,
        text: isSaid
          ? `${linkMtu} bytes: "fragmentation needed" from ${found.from}${fits === undefined ? '' : `, mtu ${fits}`}`
          : `${fits} bytes: answered; ${(fits ?? 0) + 1} to ${linkMtu} bytes: no answer`,
      },
      ...narrowLinks(run, linkMtu),
    ],
    meaning: isSaid
      ? 'connections get over it for as long as these messages arrive; what sends datagrams may not'
      : 'connections are made, and hang at the first long answer: TLS, downloads, large rows',
    fix: [`give the network "mtu": ${fits ?? 'that of the path'}, and attach its containers anew`],
  });
}

/** Links of the node that take less. */
function narrowLinks({ outside }: ProbeRun, linkMtu: number): { source: string; text: string }[] {
  const narrow = outside.links.filter(({ up, mtu, name }) => up && mtu < linkMtu && name !== 'lo');
  if (narrow.length === 0) return [];
  return [{ source: 'ip link', text: narrow.map(({ name, mtu }) => `${name} has mtu ${mtu}`).join(', ') }];
}
