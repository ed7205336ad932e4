import { formatIp, type Ip } from '../../cni/address.ts';
import type { HostPort } from '../../network/publication.ts';
import { holderOf, type Listener, listeners } from '../facts/listeners.ts';
import { containerText, type MadeAttachment } from '../facts/made-attachments.ts';
import { natOfAttachments } from '../facts/nat-of-attachments.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const hostPortTaken: Rule = {
  id: 'D035',
  name: 'host-port-taken',
  severity: 'warning',
  summary: 'A host port of a container is also that of a process of the node, or of another container.',
  meaning: 'the pod gets what is sent to the port, and the process that listens on it gets nothing',
  *find(survey) {
    const mapped = mappedPorts(survey);
    yield* ofProcesses(survey, mapped);
    yield* ofTwo(mapped);
  },
};

interface MappedPort {
  readonly made: MadeAttachment;
  readonly port: HostPort;
}

/** All ports of the node that lead to a container which lives, as its runtime has asked for them. */
function mappedPorts(survey: Survey): MappedPort[] {
  return natOfAttachments(survey).flatMap(({ made, wanted }) =>
    (wanted.hostPorts?.ports ?? []).map((port) => ({ made, port })),
  );
}

function* ofProcesses(survey: Survey, mapped: readonly MappedPort[]): Iterable<Draft> {
  if (mapped.length === 0) return;
  const byPort = grouped(listeners(survey), ({ protocol, port }) => `${protocol} ${port}`);
  for (const { made, port } of mapped) {
    const found = byPort.get(`${port.protocol} ${port.hostPort}`) ?? [];
    const listener = found.find((one) => overlap(port.hostIP, one.ip) && !isChance(one));
    const holder = listener && holderOf(listener.inode);
    if (listener === undefined || (holder !== undefined && keepers.has(holder.command))) continue;
    const who =
      holder === undefined ? 'a process of the node' : `"${holder.command}" (process ${holder.pid})`;
    yield {
      object: containerText(made),
      cause: `${who} listens on its host port ${portText(port)}`,
      evidence: [
        { source: listener.source, text: listener.line },
        ...(holder === undefined ? [] : [{ source: `/proc/${holder.pid}/comm`, text: holder.command }]),
        asked({ made, port }),
      ],
      fix: [`give one of them another port; who listens: ss -lnp 'sport = :${port.hostPort}'`],
    };
  }
}

/** Runtimes that keep a port of theirs bound, so that no other process takes it. */
const keepers = new Set([
  'conmon',
  'crio',
  'docker-proxy',
  'rootlessport',
  'rootlessport-chi',
  'slirp4netns',
]);

/** Who only sends has such a socket for a while, with any of these numbers (net.ipv4.ip_local_port_range). */
const firstOfChance = 32768;

function isChance({ protocol, port }: Listener): boolean {
  return protocol === 'udp' && port >= firstOfChance;
}

function* ofTwo(mapped: readonly MappedPort[]): Iterable<Draft> {
  const groups = grouped(mapped, ({ port }) => `${port.protocol} ${port.hostPort}`);
  for (const group of groups.values()) {
    for (const [index, one] of group.entries()) {
      const other = group
        .slice(0, index)
        .find(
          ({ made, port }) =>
            containerText(made) !== containerText(one.made) && overlap(port.hostIP, one.port.hostIP),
        );
      if (other === undefined) continue;
      yield {
        severity: 'error',
        meaning: 'only one of the two gets what is sent to the port',
        object: containerText(one.made),
        cause: `its host port ${portText(one.port)} is that of ${containerText(other.made)}, too`,
        evidence: [asked(other), asked(one)],
        fix: ['give one of them another host port, and start it anew'],
      };
    }
  }
}

/** Undefined and unspecified are all addresses; of IPv6 that is IPv4, too. */
function overlap(one: Ip | undefined, other: Ip | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  const isAny = (ip: Ip) => ip.every((byte) => byte === 0);
  if (isAny(one) && isAny(other))
    return one.length === other.length || Math.max(one.length, other.length) === 16;
  if (isAny(one)) return one.length >= other.length;
  if (isAny(other)) return other.length >= one.length;
  return formatIp(one) === formatIp(other);
}

function asked({ made, port }: MappedPort): { source: string; text: string } {
  const { hostPort, containerPort, protocol } = port;
  const text = `"portMappings": [{"hostPort":${hostPort},"containerPort":${containerPort},"protocol":"${protocol}"}]`;
  return { source: made.path, text: `${containerText(made)} ${text}` };
}

function portText({ hostIP, hostPort, protocol }: HostPort): string {
  const host = hostIP === undefined ? '' : formatIp(hostIP);
  return `${host.includes(':') ? `[${host}]:` : host && `${host}:`}${hostPort}/${protocol}`;
}
