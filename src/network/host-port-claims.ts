import { family, formatIp, type Ip, sameIp } from '../cni/address.ts';
import { CniError } from '../cni/error.ts';
import { type Fields, fieldsText, portField, protocolField } from '../kernel/nftables/data-type.ts';
import { type Element, findElement, listElements } from '../kernel/nftables/element.ts';
import { type SetType, setText } from '../kernel/nftables/set.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import { type Attachment, ownerNames } from './attachment.ts';
import { HOST_PORT_SETS } from './host-port-rules.ts';
import { type FoundElement, isOwnedBy } from './owned-element.ts';
import { type HostPort, type HostPortOptions, isOfAll, type Publication } from './publication.ts';

/** Code of an ADD that wants a port of the node that another attachment has; 100 and up are a plugin's own. */
const hostPortTaken = 103;

/** Whether an attachment may have the ports of the node that it wants. */
export class HostPortClaims {
  readonly #said = new Set<string>();

  constructor(
    readonly owner: Attachment,
    readonly publication: Publication,
    readonly options: HostPortOptions,
  ) {}

  /** Throws code 103 when the element is of a port that another attachment has; all others may be replaced. */
  judge({ set, element }: FoundElement): void {
    const { data, key, comment = '' } = element;
    // Of our own address, for which we hold the lease.
    if (data === undefined || 'kind' in data) return;
    const [address, port] = data;
    if (address === undefined || port === undefined) return;
    const where = `host port ${portText(key)}`;
    const target = fieldsText(['inet_service'], [port]);
    const to = `${formatIp(address)} port ${target}`;
    const { network, containerID, ifName } = ownerNames(comment);
    const who = `"${ifName}" of container ${containerID} in network "${network}"`;
    if (this.#isOurs(address) || this.options.isGone(comment, address)) {
      this.#say(`${where} led to ${to}, ${who}, which is gone: it is taken over`);
      return;
    }
    throw new CniError(hostPortTaken, `${where} is taken by ${who}, and leads to ${to}`, {
      details: `it is free after the DEL of that attachment, or a GC of its network; it is in ${setText(set)}`,
    });
  }

  /**
   * A port of all addresses and the same port of one are in two maps, where the kernel sees no conflict: what others
   * left there that are gone. Throws code 103 when one is not.
   */
  overlaps(nftables: Nftables): FoundElement[] {
    return this.publication.addresses.flatMap(({ ip }) => {
      const found = overlapping(nftables, family(ip), this.publication.ports);
      const others = found.filter(({ element }) => !isOwnedBy(element, this.owner));
      for (const other of others) this.judge(other);
      return others;
    });
  }

  #isOurs(address: Ip): boolean {
    return this.publication.addresses.some(({ ip }) => sameIp(ip, address));
  }

  /** Once, though there may be several looks. */
  #say(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.options.takenOver(message);
  }
}

/** The elements of the other kind that have one of these ports. */
function overlapping(nftables: Nftables, ipFamily: 4 | 6, ports: readonly HostPort[]): FoundElement[] {
  const { address, any } = HOST_PORT_SETS[ipFamily];
  const ofAll = ports.filter((port) => isOfAll(port, ipFamily) === true).map(keyOf);
  const ofOne = ports.filter((port) => isOfAll(port, ipFamily) === false).map(keyOf);
  const specific = ofAll.length === 0 ? [] : listSteadily(nftables, address);
  return [
    ...specific
      .filter(({ key: [, ...key] }) => ofAll.some((wanted) => sameKey(wanted, key)))
      .map((element) => ({ set: address, element })),
    ...ofOne.flatMap((key) => {
      const element = findElement(nftables, any, key);
      return element === undefined ? [] : [{ set: any, element }];
    }),
  ];
}

/** While others delete elements of the same set, a list of several datagrams may leave out any. */
function listSteadily(nftables: Nftables, set: SetType): Element[] {
  const found = listElements(nftables, set);
  for (let attempt = 1; attempt <= STEADY_ATTEMPTS && found.length > 0; attempt++) {
    const generation = nftables.generation();
    found.push(...listElements(nftables, set));
    if (nftables.generation() === generation) break;
  }
  // Of several lists all that any of them had.
  const byKey = new Map(found.map((element) => [fieldsText(set.key, element.key), element]));
  return [...byKey.values()];
}

const STEADY_ATTEMPTS = 8;

function keyOf({ protocol, hostPort }: HostPort): Fields {
  return [protocolField(protocol), portField(hostPort)];
}

function sameKey(one: Fields, other: Fields): boolean {
  return one.every((field, index) => Buffer.compare(field, other[index] ?? Buffer.alloc(0)) === 0);
}

/** `tcp . 8080` and `192.0.2.1 . tcp . 8080` as people write them: `8080/tcp`, `192.0.2.1:8080/tcp`. */
function portText(key: Fields): string {
  const [port = '', protocol = '', address] = [...key].reverse().map((field, index) => {
    if (index === 0) return fieldsText(['inet_service'], [field]);
    return index === 1 ? fieldsText(['inet_proto'], [field]) : formatIp(field);
  });
  const host = address?.includes(':') ? `[${address}]` : address;
  return `${host === undefined ? '' : `${host}:`}${port}/${protocol}`;
}
