import type { Namespace } from '../kernel/netns.ts';
import { type NetworkCounters, readNetworkCounters } from '../kernel/network-counters.ts';
import { openPacketTrace, type PacketTrace, type TraceEvent } from '../kernel/nftables/packet-trace.ts';
import { type Nftables, openNftables } from '../kernel/nftables/socket.ts';
import type { Flow } from './flow.ts';
import { type Passage, passagesOf } from './passage.ts';
import { watchError } from './watch-error.ts';
import { addFlow, addWatchTables } from './watch-table.ts';

export interface WatchOptions {
  /** What has the flow's cookie is dropped where it would leave the node, or reach a process of it. */
  readonly containedAtExit?: boolean;
}

/** A counter of the kernel that has moved. */
export interface MovedCounter {
  readonly name: string;
  readonly before: number;
  readonly after: number;
}

/**
 * Watches what becomes of a flow's packets in a namespace, or in our own, from now on: by tables of nftables that nobody
 * else can change, and that the kernel removes when this is closed or the process ends, however it does. Throws
 * WatchError where the kernel cannot do that, NetlinkError (EPERM without rights) and SystemError.
 */
export function watchPackets(
  namespace: Namespace | undefined,
  flow: Flow,
  { containedAtExit = false }: WatchOptions = {},
): PacketWatch {
  const trace = openTrace(namespace);
  let nftables: Nftables | undefined;
  try {
    nftables = openNftables(namespace);
    const name = `cni_debug_watch_${Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString('hex')}`;
    const seesBridges = addWatchTables(nftables, name, flow, containedAtExit);
    return new PacketWatch({ namespace, trace, nftables, name, seesBridges });
  } catch (error) {
    nftables?.close();
    trace.close();
    throw watchError(error);
  }
}

function openTrace(namespace: Namespace | undefined): PacketTrace {
  try {
    return openPacketTrace(namespace);
  } catch (error) {
    throw watchError(error);
  }
}

interface Parts {
  readonly namespace: Namespace | undefined;
  readonly trace: PacketTrace;
  readonly nftables: Nftables;
  readonly name: string;
  readonly seesBridges: boolean;
}

/** For `using`. */
export class PacketWatch {
  readonly #parts: Parts;
  readonly #before: NetworkCounters;
  readonly #events: TraceEvent[] = [];
  /** False when the kernel threw reports away: what is missing may have been. */
  isWhole = true;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#before = readNetworkCounters(parts.namespace);
  }

  /** The nftables of the namespace, for looking at what has dropped a packet. */
  get nftables(): Nftables {
    return this.#parts.nftables;
  }

  /** False where the kernel has no nftables for bridges: what only a bridge sees of a packet is not seen. */
  get seesBridges(): boolean {
    return this.#parts.seesBridges;
  }

  /** Watches the packets of another flow, too: what answers this one. Throws NetlinkError. */
  add(flow: Flow): void {
    addFlow(this.#parts.nftables, this.#parts.name, flow, this.#parts.seesBridges);
  }

  /**
   * What has become of all packets until now, in their order. Waits until there are `atLeast` so many and it has been quiet
   * behind them, but no longer than so many ms. Throws SystemError.
   */
  passages(untilMs = 100, atLeast = 1): Passage[] {
    const deadline = performance.now() + untilMs;
    for (;;) {
      const passages = passagesOf(this.#events, this.#parts.name);
      const isThere = passages.length >= atLeast;
      // Nothing comes behind one that we have stopped ourselves.
      if (isThere && passages.at(-1)?.isContained) return passages;
      const leftMs = Math.max(LEAST_MS, deadline - performance.now());
      if (!this.#read(isThere ? Math.min(QUIET_MS, leftMs) : leftMs) && (isThere || leftMs === LEAST_MS))
        return passages;
    }
  }

  /** All reports that are there, or the first that comes. False when none does for so many ms. */
  #read(atMostMs: number): boolean {
    for (let count = 0; count < MOST_AT_ONCE; count++) {
      const found = this.#parts.trace.read(count === 0 ? atMostMs : LEAST_MS);
      if (found === 'overrun') this.isWhole = false;
      else if (found.length === 0) return count > 0;
      else this.#events.push(...found);
    }
    return true;
  }

  /** The kernel's counters that have moved since this was opened, by whomever. Throws SystemError. */
  movedCounters(): MovedCounter[] {
    return [...readNetworkCounters(this.#parts.namespace)].flatMap(([name, after]) => {
      const before = this.#before.get(name) ?? 0;
      return after === before ? [] : [{ name, before, after }];
    });
  }

  /** Takes the tables away. May be called twice. */
  close(): void {
    this.#parts.nftables.close();
    this.#parts.trace.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Reports come while a packet is on its way, which takes microseconds. */
const QUIET_MS = 20;
/** As short as a wait can be. */
const LEAST_MS = 0.1;
const MOST_AT_ONCE = 1000;
