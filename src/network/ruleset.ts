import { readFileSync } from 'node:fs';
import { CniError, ErrorCode } from '../cni/error.ts';
import { EEXIST, EINTR, ENOENT, EPERM, ERESTART } from '../kernel/errno.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import type { Step } from '../kernel/netlink/socket.ts';
import type { Namespace } from '../kernel/netns.ts';
import { Batch } from '../kernel/nftables/batch.ts';
import { type Nftables, openNftables } from '../kernel/nftables/socket.ts';
import { listTables, tableText } from '../kernel/nftables/table.ts';
import { TableRules } from './table-rules.ts';
import { Turn } from './turn.ts';

/** A part of what a call does to nftables. */
export interface Plan {
  /** Looks with a guard from the beginning, as everything does that deletes. */
  readonly careful?: boolean;
  /** Writes its changes. It may be called again, when another look is needed. */
  write(batch: Batch, look: Look): void;
  /** What may be done when the changes were made, and may fail: to remove what nothing uses any more. */
  after?(nftables: Nftables): void;
}

/** What a plan sees while it writes. */
export interface Look {
  readonly nftables: Nftables;
  readonly rules: TableRules;
  /** The changes are made only if nftables is until then what it was when the look began. */
  readonly isGuarded: boolean;
  /** For what must not be written blindly: when the look is not guarded, everything begins again with one that is. */
  guard(): void;
}

export interface RulesetOptions {
  /** Where the rules are; our own namespace if there is none. */
  readonly namespace?: Namespace;
  readonly step?: Step;
  /** The one who made this commits, not the plugins that it is handed to: a chain of them is one transaction. */
  readonly deferred?: boolean;
  /** How long to try when others change nftables all the time. */
  readonly timeoutMs?: number;
}

/** What a whole call does to nftables, in one transaction. */
export class Ruleset {
  readonly #options: RulesetOptions;
  #plans: Plan[] = [];
  #nftables: Nftables | undefined;

  constructor(options: RulesetOptions = {}) {
    this.#options = options;
  }

  /** Opened when it is first needed. Throws SystemError. */
  get nftables(): Nftables {
    this.#nftables ??= openNftables(this.#options.namespace, this.#options.step);
    return this.#nftables;
  }

  /** Nothing is done before `commit`. */
  plan(plan: Plan): void {
    this.#plans.push(plan);
  }

  /**
   * Does all that was planned, together or not at all; it is planned no more, whatever comes of it. Throws NetlinkError
   * and SystemError, and CniError: code 11 when others left no moment for it.
   */
  commit(): void {
    const plans = this.#plans;
    this.#plans = [];
    if (plans.length === 0) return;
    const turn = new Turn(this.#options.namespace);
    try {
      this.#write(plans, turn);
    } finally {
      turn.end();
    }
    for (const plan of plans) plan.after?.(this.nftables);
  }

  /** The end of an ADD: commits, unless somebody else will. Throws as `commit`. */
  conclude(): void {
    if (this.#options.deferred !== true) this.commit();
  }

  /** What is planned still is forgotten. May be called twice. */
  close(): void {
    this.#plans = [];
    this.#nftables?.close();
    this.#nftables = undefined;
  }

  #write(plans: readonly Plan[], turn: Turn): void {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const deadline = performance.now() + timeoutMs;
    let isGuarded = plans.some((plan) => plan.careful);
    for (let attempt = 1; ; attempt++) {
      if (isGuarded) turn.take();
      try {
        this.#attempt(plans, isGuarded);
        return;
      } catch (error) {
        if (error instanceof GuardNeeded) isGuarded = true;
        else if (!(error instanceof NetlinkError)) throw error;
        // What was there, or was not, when the plan looked, has come or gone meanwhile.
        else if ([EEXIST, ENOENT].includes(error.errno) && !isGuarded) isGuarded = true;
        else if (error.errno !== ERESTART && error.errno !== EINTR) throw this.#explained(error);
        else if (performance.now() > deadline) throw tooBusy(error, attempt, timeoutMs);
        else pause(attempt);
      }
    }
  }

  #attempt(plans: readonly Plan[], isGuarded: boolean): void {
    const { nftables } = this;
    const batch = new Batch();
    const condition = isGuarded ? { generation: nftables.generation() } : {};
    const guard = (): void => {
      if (!isGuarded) throw new GuardNeeded();
    };
    const look = { nftables, rules: new TableRules(nftables), isGuarded, guard };
    for (const plan of plans) plan.write(batch, look);
    nftables.commit(batch, condition);
  }

  #explained(error: NetlinkError): Error {
    if (error.errno === EPERM) return this.#heldByAnother(error) ?? error;
    if (error.errno !== EEXIST) return error;
    return new CniError(
      ErrorCode.internal,
      `nftables has another object of that name, which is none of ours: ${error.message}`,
      { cause: error, details: 'look at it with "nft list ruleset", and rename or delete it' },
    );
  }

  /** A table with the flag `owner` is EPERM for all others, root or not, of which the kernel says no more. */
  #heldByAnother(error: NetlinkError): CniError | undefined {
    const table = this.#tables().find(
      (one) => one.owner !== undefined && error.operation.includes(tableText(one)),
    );
    if (table?.owner === undefined) return undefined;
    const name = tableText(table);
    return new CniError(
      ErrorCode.internal,
      `nftables: table ${name} is held by ${processText(table.owner)}, and nobody else can change it (flag "owner"): ${error.message}`,
      { cause: error, details: `end that process, or have it use another table than ${name}` },
    );
  }

  #tables(): ReturnType<typeof listTables> {
    try {
      return listTables(this.nftables);
    } catch {
      return [];
    }
  }
}

/** Thrown by a look, and caught by its ruleset. */
class GuardNeeded extends Error {}

/** As long as for locks. */
const TIMEOUT_MS = 30_000;
const LONGEST_PAUSE_MS = 50;

/** Longer each time, and never the same for two processes: who collided would do so again. */
function pause(attempt: number): void {
  const longest = Math.min(LONGEST_PAUSE_MS, 2 ** attempt);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * longest);
}

function tooBusy(cause: NetlinkError, attempts: number, timeoutMs: number): CniError {
  return new CniError(
    ErrorCode.tryAgainLater,
    `nftables: other programs changed the ruleset during each of ${attempts} attempts in ${timeoutMs / 1000} s`,
    { cause, details: cause.message },
  );
}

/** A port ID is the process ID, for a process's first netlink socket. */
function processText(portId: number): string {
  try {
    const name = readFileSync(`/proc/${portId}/comm`, 'utf8').trim();
    return `process ${portId} ("${name}")`;
  } catch {
    return `the netlink socket with port ID ${portId}`;
  }
}
