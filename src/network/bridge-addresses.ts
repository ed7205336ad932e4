import { type Cidr, contains, formatCidr, parseCidr } from '../cni/address.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { EADDRNOTAVAIL, EEXIST, ENODEV } from '../kernel/errno.ts';
import { listAddresses } from '../kernel/netlink/address.ts';
import { addAddress, deleteAddress } from '../kernel/netlink/address-change.ts';
import { getLink, type Link } from '../kernel/netlink/link.ts';
import { changeLink } from '../kernel/netlink/link-change.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import { hasPorts } from './bridge.ts';

/**
 * The gateways' addresses on a bridge. They are looked for when the container's port is there already, and taken back
 * when it is not there any more: so of an ADD that fails and one that begins, one always sees the other.
 */
export class BridgeAddresses {
  readonly #added: Cidr[] = [];
  readonly #replaced: Cidr[] = [];

  constructor(
    private readonly host: NetlinkSocket,
    private readonly bridge: Link,
  ) {}

  /**
   * The bridge has the address afterwards, and its MAC is pinned, which would else follow the ports. Throws NetlinkError,
   * and CniError for another address in its place, which `force` replaces.
   */
  ensure(wanted: Cidr, { force }: { force: boolean }): void {
    const { host, bridge } = this;
    const others = this.#inTheWay(wanted);
    if (others === undefined) return;
    for (const other of others) {
      if (!force) throw otherAddress(bridge.name, wanted, other);
      deleteAddress(host, bridge, other);
      this.#replaced.push(other);
    }
    // First, so that a bridge that has the address has its MAC.
    this.#pinMac();
    // Somebody else's ADD may be faster.
    if (unless(EEXIST, () => addAddress(host, bridge, { ...wanted, noDad: true }))) this.#added.push(wanted);
  }

  /** One that had lost its only port had no MAC, and has that of the container's port now. */
  #pinMac(): void {
    const { host, bridge } = this;
    const { mac } = bridge.mac === NO_MAC ? (getLink(host, bridge.index) ?? bridge) : bridge;
    if (mac !== undefined && mac !== NO_MAC) changeLink(host, bridge, { mac });
  }

  /** What was replaced comes back; without that, an address that others have begun to use stays. */
  takeBack(): void {
    const { host, bridge } = this;
    const hasReplaced = this.#replaced.length > 0;
    for (const address of this.#added) {
      if (!hasReplaced && hasPorts(host, bridge)) continue;
      // IPv6 may have been switched off on the bridge meanwhile, and the bridge be gone.
      unless([EADDRNOTAVAIL, ENODEV], () => deleteAddress(host, bridge, address));
      if (!hasReplaced && hasPorts(host, bridge)) {
        unless(EEXIST, () => addAddress(host, bridge, { ...address, noDad: true }));
      }
    }
    for (const address of this.#replaced) {
      unless(EEXIST, () => addAddress(host, bridge, { ...address, noDad: true }));
    }
  }

  /** The addresses that must go; undefined when the wanted one is there. */
  #inTheWay(wanted: Cidr): Cidr[] | undefined {
    const inTheWay: Cidr[] = [];
    for (const { address, prefixLength } of listAddresses(this.host, this.bridge.index)) {
      const found = parseCidr(`${address}/${prefixLength}`);
      if (found === undefined || found.ip.length !== wanted.ip.length) continue;
      if (formatCidr(found) === formatCidr(wanted)) return undefined;
      // Of IPv6 a bridge may have several, if they do not overlap.
      const isApart = found.ip.length === 16 && !contains(found, wanted.ip) && !contains(wanted, found.ip);
      if (!isApart) inTheWay.push(found);
    }
    return inTheWay;
  }
}

const NO_MAC = '00:00:00:00:00:00';

function otherAddress(name: string, wanted: Cidr, found: Cidr): CniError {
  const message = `failed to set bridge addr: "${name}" already has an IP address different from ${formatCidr(wanted)}`;
  return new CniError(ErrorCode.internal, message, {
    details: `it has ${formatCidr(found)}: set "forceAddress", name another "bridge", or remove the address`,
  });
}

/** Whether it was done; not when it was refused with one of these. */
function unless(errno: number | readonly number[], run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && [errno].flat().includes(error.errno)) return false;
    throw error;
  }
}
