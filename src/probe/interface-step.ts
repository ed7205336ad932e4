import { formatCidr } from '../cni/address.ts';
import { isDuplicate } from '../kernel/netlink/address.ts';
import type { Link } from '../kernel/netlink/link.ts';
import { enter } from './enter.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';
import type { SubjectInterface } from './subject.ts';

/** Whether the container's interface is there, is up, and has the addresses that it was given. */
export function probeInterface(run: ProbeRun, { ifName, addresses }: SubjectInterface): void {
  const what = `interface ${ifName}`;
  const link = run.inside.links.find(({ name }) => name === ifName);
  const has = run.inside.addresses.filter(
    ({ index, scope }) => index === link?.index && scope !== LINK_SCOPE,
  );
  const texts = has.map(({ address, prefixLength }) => `${address}/${prefixLength}`);
  const trouble = troubleWith(link, texts, addresses.map(formatCidr)) ?? duplicateOf(has);
  if (trouble === undefined) {
    run.ok(what, `is up, mtu ${link?.mtu}, ${texts.join(', ')}`);
    return;
  }
  const command = enter(run.subject);
  const up = link !== undefined && !link.up;
  run.fail(
    what,
    finding('P013', {
      object: `container ${run.subject.name} ${ifName}`,
      cause: trouble,
      evidence: [
        {
          source: `${command}ip address show ${link === undefined ? '' : ifName}`.trim(),
          text:
            link === undefined ? run.inside.links.map((one) => one.name).join(', ') : linkText(link, texts),
        },
      ],
      meaning: 'the container reaches nobody by this interface, and nobody reaches it',
      fix: [
        up ? `${command}ip link set ${ifName} up` : 'start the container anew: its runtime attaches it again',
      ],
      undo: up ? [`${command}ip link set ${ifName} down`] : [],
    }),
    { blocks: run.subject.interfaces.length === 1 },
  );
}

/** include/uapi/linux/rtnetlink.h: RT_SCOPE_LINK */
const LINK_SCOPE = 253;

function troubleWith(
  link: Link | undefined,
  has: readonly string[],
  wanted: readonly string[],
): string | undefined {
  if (link === undefined) return 'there is no such interface in the container';
  if (!link.up) return 'the interface is down';
  if (!link.running) return 'the interface is up, and has no carrier: its other end is down or gone';
  const isThere = (cidr: string): boolean =>
    has.some((one) => one === cidr || one.slice(0, one.indexOf('/')) === cidr.slice(0, cidr.indexOf('/')));
  const missing = wanted.filter((cidr) => !isThere(cidr));
  if (missing.length > 0) return `it has not the address that it was given: ${missing.join(', ')}`;
  return has.length === 0 ? 'it has no address' : undefined;
}

function duplicateOf(addresses: ProbeRun['inside']['addresses'][number][]): string | undefined {
  const duplicate = addresses.find(isDuplicate);
  return duplicate && `somebody else on the link has ${duplicate.address} as well, so it is not used`;
}

function linkText({ name, up, running, mtu }: Link, addresses: readonly string[]): string {
  const state = up ? (running ? 'up' : 'up, no carrier') : 'down';
  return `${name}: ${state}, mtu ${mtu}, ${addresses.join(', ') || 'no address'}`;
}
