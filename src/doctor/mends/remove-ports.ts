import type { Link } from '../../kernel/netlink/link.ts';
import { openRouteSocket } from '../../kernel/netlink/socket.ts';
import { ownerNames, parseOwner } from '../../network/attachment.ts';
import { removePort } from '../../network/bridge-port.ts';
import { callsAtWork } from '../../node/calls-at-work.ts';
import { atWork, type LastLook } from '../last-look.ts';
import type { Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';
import type { Survey } from '../survey.ts';

/** Answers which of the node's veths nobody needs, as the node is in this survey. */
export type OrphanedPorts = (survey: Survey) => readonly { readonly link: Link }[];

/** Removes veths of ours that are left of containers that are gone; a link is the same as long as its index is. */
export function removePorts(ports: readonly Link[], orphaned: OrphanedPorts): Mend {
  return { difference: ports.map(lineOf), apply: ({ look }) => remove(ports, look(), orphaned) };
}

function remove(ports: readonly Link[], look: LastLook, orphaned: OrphanedPorts): Mended {
  const account = new MendAccount();
  const again = orphaned(look.survey);
  const calls = callsAtWork();
  const socket = openRouteSocket();
  try {
    for (const port of ports) {
      const isThere = look.survey.host().links.some((link) => isSame(link, port));
      const { containerID, ifName } = ownerNames(port.alias ?? '');
      const hash = parseOwner(port.alias ?? '')?.ownerHash;
      const reason =
        look.reasonToKeep({ containerID, ifName, hash }, []) ??
        (again.some(({ link }) => isSame(link, port)) ? undefined : 'somebody has it') ??
        atWork(calls, containerID, ifName);
      if (!isThere) account.tick(lineOf(port));
      else if (reason !== undefined) account.leave(lineOf(port), reason);
      else account.attempt(lineOf(port), () => removePort(socket, port));
    }
  } finally {
    socket.close();
  }
  return account;
}

function isSame(one: Link, other: Link): boolean {
  return one.index === other.index && one.name === other.name && one.alias === other.alias;
}

function lineOf({ name, alias = '' }: Link): string {
  const { network, containerID, ifName } = ownerNames(alias);
  return `- link ${name} of ${containerID} ${ifName} in network ${network}`;
}
