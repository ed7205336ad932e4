import { type NetlinkSocket, openRouteSocket } from '../kernel/netlink/socket.ts';
import { type Namespace, NamespaceLostError, runIn } from '../kernel/netns.ts';
import type { Difference } from './change.ts';
import { LinkIndex } from './namespace-objects.ts';
import { type LinksOfBoth, type Snapshot, snapshotDifferences, takeSnapshot } from './namespace-snapshot.ts';
import { NftablesDifferences } from './nftables-differences.ts';
import { SysctlReader } from './sysctl-differences.ts';

/** Says that a part of the namespace is not looked at from now on, and why. */
export type Complain = (what: 'links' | 'nftables', reason: string) => void;

/**
 * One namespace, from one moment to the next. Nothing here fails but by NamespaceLostError: what cannot be looked at
 * is said once.
 */
export class NamespaceWatch {
  readonly #sysctls: SysctlReader;
  #socket: NetlinkSocket | undefined;
  #nftables: NftablesDifferences | undefined;
  #snapshot: Snapshot | undefined;
  /** The links of the last two moments. */
  links: LinksOfBoth = { old: new LinkIndex([]), now: new LinkIndex([]) };

  constructor(
    namespace: Namespace | undefined,
    namedSysctls: readonly string[],
    private readonly complain: Complain,
  ) {
    const inside = <T extends string[]>(run: () => T): T =>
      namespace === undefined ? run() : (runIn(namespace, run as () => never) as T);
    this.#sysctls = new SysctlReader(inside, namedSysctls);
    this.#attempt('nftables', () => {
      this.#nftables = new NftablesDifferences(namespace);
    });
    this.#attempt('links', () => {
      this.#socket = openRouteSocket(namespace);
      this.#take(this.#socket);
    });
  }

  /** What became other since the last time. */
  next(): { objects: Difference[]; nftables: Difference[] } {
    const [objects, nftables]: [Difference[], Difference[]] = [[], []];
    const [socket, listener, before] = [this.#socket, this.#nftables, this.#snapshot];
    if (socket !== undefined && before !== undefined) {
      this.#attempt('links', () => {
        const after = this.#take(socket);
        objects.push(...snapshotDifferences(before, after, this.links, this.#sysctls));
      });
    }
    if (listener !== undefined) {
      this.#attempt('nftables', () => {
        const { differences, isWhole } = listener.next();
        nftables.push(...differences);
        if (!isWhole)
          this.complain(
            'nftables',
            'more was changed at once than there was room for, and a part is missing',
          );
      });
    }
    return { objects, nftables };
  }

  /** May be called twice. */
  close(): void {
    this.#socket?.close();
    this.#nftables?.close();
    this.#socket = undefined;
    this.#nftables = undefined;
  }

  #take(socket: NetlinkSocket): Snapshot {
    const snapshot = takeSnapshot(socket, this.#sysctls);
    this.#snapshot = snapshot;
    this.links = { old: this.links.now, now: new LinkIndex(snapshot.links.values()) };
    return snapshot;
  }

  #attempt(what: 'links' | 'nftables', run: () => void): void {
    try {
      run();
    } catch (error) {
      if (error instanceof NamespaceLostError) throw error;
      this.complain(what, error instanceof Error ? error.message : String(error));
      if (what === 'links') {
        this.#socket?.close();
        this.#socket = undefined;
      } else {
        this.#nftables?.close();
        this.#nftables = undefined;
      }
    }
  }
}
