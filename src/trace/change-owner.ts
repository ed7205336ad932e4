import { readFileSync } from 'node:fs';
import type { Link } from '../kernel/netlink/link.ts';
import {
  type Attachment,
  hostVethName,
  networkHash,
  ownerHash,
  ownerNames,
  parseOwner,
} from '../network/attachment.ts';
import { digest } from '../network/digest.ts';
import type { Found, OtherOwner } from './change.ts';
import type { LinkIndex } from './namespace-objects.ts';

/** Whose an object is: this attachment's, another's, or undefined where it does not say. */
export type Whose = 'this' | OtherOwner | undefined;

/** The links of both namespaces, to find the two ends of a veth. */
export interface LinksOfHostAndContainer {
  readonly host: LinkIndex;
  readonly container: LinkIndex | undefined;
}

/** Reads of objects on the host whose they are, as our plugins and the reference's say it. */
export class OwnerReader {
  readonly #own: Attachment;
  readonly #ownHash: string;
  readonly #networkHash: string;
  readonly #veth: string;
  #reference: ReferenceNames | undefined;

  constructor(attachment: Attachment) {
    this.#own = attachment;
    this.#ownHash = ownerHash(attachment);
    this.#networkHash = networkHash(attachment.network);
    this.#veth = hostVethName(attachment);
  }

  ofLink(link: Link, { container }: LinksOfHostAndContainer): Whose {
    const says = link.alias === undefined ? undefined : this.#ofText(link.alias);
    if (says !== undefined) return says;
    if (link.name === this.#veth) return 'this';
    if (link.kind !== 'veth' || link.link === undefined || link.linkNetnsid === undefined) return undefined;
    if (container === undefined) return undefined;
    const peer = container.at(link.link);
    if (peer?.kind === 'veth' && peer.link === link.index) return 'this';
    return { mark: `the other end of ${link.name} is in another namespace` };
  }

  ofNftables(found: Found): Whose {
    const { kind, object, of = '', values, process } = found;
    const comment = typeof values.comment === 'string' ? values.comment : '';
    const says =
      this.#ofText(comment) ??
      this.#ofReference(comment, of, kind === 'nft rule') ??
      // The chains that the reference makes for an attachment, the rules in them, and those that lead to them.
      this.#ofChainName(kind === 'nft chain' ? object : `${of} ${object}`);
    if (says !== undefined) return says;
    return process !== undefined && isStillRunning(process) ? { process: process.name } : undefined;
  }

  /** As `ownerText` writes it, and the comment of a network's chain. */
  #ofText(text: string): Whose {
    const hashes = parseOwner(text);
    if (hashes !== undefined) return hashes.ownerHash === this.#ownHash ? 'this' : ownerNames(text);
    const [, hash, network = '?'] = /^([0-9a-f]{22}) .* of network (.*)$/.exec(text) ?? [];
    return hash === undefined || hash === this.#networkHash ? undefined : { network };
  }

  #ofReference(comment: string, of: string, isRule: boolean): Whose {
    const { network, containerID, ifName } = this.#own;
    const [, netHash, ifHash, rest = ''] = /^([0-9a-f]{16})-([0-9a-f]{16})(?:, (.*))?$/.exec(comment) ?? [];
    if (netHash !== undefined) {
      const own = this.#names;
      if (netHash === own.networkHash && ifHash === own.ifHash) return 'this';
      const [, net = '?', name = '?', id = '?'] =
        /^net: (.*?)(?:, if: (.*?)(?:, id: (.*))?)?$/.exec(rest) ?? [];
      return { network: net, ifName: name, containerID: id };
    }
    const [, named, id] = /name: "([^"]*)" id: "([^"]*)"/.exec(comment) ?? [];
    if (named !== undefined && id !== undefined)
      return named === network && id === containerID ? 'this' : { network: named, containerID: id };
    if (isRule && / cni_hostport /.test(of) && comment !== '')
      return comment === containerID ? 'this' : { containerID: comment };
    if (comment.startsWith('macspoofchk-'))
      return comment === `macspoofchk-${containerID}-${ifName}` ? 'this' : { mark: comment };
    return undefined;
  }

  #ofChainName(text: string): Whose {
    const [found] = /\b(CNI-(DN-|SN-)?[0-9a-f]{21,24}|cni-br-iface-[^ ]+)/.exec(text) ?? [];
    if (found === undefined) return undefined;
    return this.#names.chains.includes(found) ? 'this' : { mark: found };
  }

  get #names(): ReferenceNames {
    this.#reference ??= referenceNames(this.#own);
    return this.#reference;
  }
}

/** What the reference names this attachment's objects (containernetworking/plugins, pkg/utils and pkg/ip). */
interface ReferenceNames {
  readonly networkHash: string;
  readonly ifHash: string;
  readonly chains: readonly string[];
}

function referenceNames({ network, containerID, ifName }: Attachment): ReferenceNames {
  const hash = digest('sha512', network + containerID);
  const spoof = `cni-br-iface-${containerID}-${ifName}`;
  return {
    networkHash: digest('sha512', network).slice(0, 16),
    ifHash: digest('sha512', `${ifName}:${containerID}`).slice(0, 16),
    chains: [
      ...['CNI-', 'CNI-DN-', 'CNI-SN-'].map((prefix) => (prefix + hash).slice(0, 28)),
      spoof,
      `${spoof}-mac`,
    ],
  };
}

/**
 * A program that goes on when the plugin is done is none that the plugin started: a firewall's service, kube-proxy.
 * By name, too, because a process ID may be another one's by now, or of another namespace of processes.
 */
function isStillRunning({ pid, name }: { pid: number; name: string }): boolean {
  if (pid === process.pid) return false;
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd() === name;
  } catch {
    return false;
  }
}
