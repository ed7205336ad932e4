import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type LockHolder, LockTimeoutError, lockFile, lockHolders } from '../../kernel/file-lock.ts';
import { SystemError, withSystemError } from '../../kernel/system-error.ts';
import { readBegun } from '../../runtime/claim.ts';
import { claimFolder } from '../../runtime/claims.ts';
import { processStart } from '../../runtime/process-start.ts';
import type { Survey } from '../survey.ts';

/** A file whose lock calls wait for. */
export interface LockPlace {
  readonly path: string;
  /** What cannot go on without it, as findings call it. */
  readonly object: string;
  /** What it is the lock of. */
  readonly what: string;
  /**
   * `try`: by taking it for a moment. `list`: by /proc/locks alone, since there are programs that do not try again.
   * `claim`: held for as long as a call takes, so only by one that takes very long.
   */
  readonly how: 'try' | 'list' | 'claim';
}

export interface HeldLock {
  readonly place: LockPlace;
  /** Nobody where they cannot be seen from here. */
  readonly holders: readonly LockHolder[];
}

/** A call that holds its claim for longer is no call that is just being done. */
const longClaimMs = 60_000;

/** Every lock that calls of the networks wait for. Throws Unseen. */
export function lockPlaces(survey: Survey): LockPlace[] {
  const leases = survey.each(survey.dataDirs(), (dataDir) =>
    survey.once(`networks in ${dataDir}`, dataDir, () =>
      namesIn(dataDir)
        .filter((network) => survey.concerns(network))
        .map((network) => ({
          path: join(dataDir, network, 'lock'),
          object: `network ${network}`,
          what: 'the lock of its leases',
          how: 'try' as const,
        })),
    ),
  );
  const iptables = { path: xtablesLock, object: 'node', what: 'the lock of iptables', how: 'list' as const };
  return [...leases.flat(), ...claims(survey), iptables];
}

/** Where `iptables` has it unless XTABLES_LOCKFILE says otherwise. */
const xtablesLock = '/run/xtables.lock';

/** Undefined where nobody holds it. Throws SystemError. */
export function heldAt(place: LockPlace): HeldLock | undefined {
  const { path, how } = place;
  const fd = openIfAny(path);
  if (fd === undefined) return undefined;
  try {
    const holders = how === 'list' ? lockHolders(fd) : triedBy(fd, path);
    if (holders === undefined || (how === 'list' && holders.length === 0)) return undefined;
    return { place, holders };
  } finally {
    closeSync(fd);
  }
}

/** Undefined where it is free. A shared one: whoever else looks is not in the way. */
function triedBy(fd: number, path: string): readonly LockHolder[] | undefined {
  try {
    lockFile(fd, { path, timeoutMs: 0, isShared: true });
    return undefined;
  } catch (error) {
    if (error instanceof LockTimeoutError) return error.holders;
    throw error;
  }
}

function claims(survey: Survey): LockPlace[] {
  const folder = claimFolder(survey.settings);
  return survey.once('claim places', folder, () =>
    namesIn(folder).flatMap((name) => {
      const path = join(folder, name);
      const object = objectOf(name, path, survey);
      return object === undefined
        ? []
        : [{ path, object, what: 'the right to work on it', how: 'claim' as const }];
    }),
  );
}

/** Undefined for that of an `exec`, which holds it for as long as its command runs, and of another network. */
function objectOf(name: string, path: string, survey: Survey): string | undefined {
  const fd = openIfAny(path);
  if (fd === undefined) return undefined;
  try {
    const left = readBegun(fd);
    if (left?.netns !== undefined) return undefined;
    const [attachment] = left?.attachments ?? [];
    const [, ofNetwork] = /^@([^:]*)$/.exec(name) ?? [];
    const network = attachment?.network ?? ofNetwork;
    if (network !== undefined && !survey.concerns(network)) return undefined;
    if (attachment !== undefined) return `container ${attachment.containerID} ${attachment.ifName}`;
    return ofNetwork === undefined ? `file ${path}` : `network ${ofNetwork}`;
  } finally {
    closeSync(fd);
  }
}

/** Whether it is worth a second look at all. */
export function isSuspicious({ place, holders }: HeldLock): boolean {
  if (place.how !== 'claim') return true;
  return holders.some(({ pid }) => {
    const start = processStart(pid);
    return start !== undefined && Date.now() - start.getTime() > longClaimMs;
  });
}

function openIfAny(path: string): number | undefined {
  try {
    return withSystemError('open', path, () => openSync(path, LOOK));
  } catch (error) {
    if (error instanceof SystemError && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code)) return undefined;
    throw error;
  }
}

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
const LOOK = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_CLOEXEC;

function namesIn(folder: string): string[] {
  try {
    return withSystemError('open', folder, () => readdirSync(folder)).sort();
  } catch (error) {
    if (error instanceof SystemError && ['ENOENT', 'ENOTDIR'].includes(error.code)) return [];
    throw error;
  }
}
