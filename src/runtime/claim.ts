import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { CniError, ErrorCode } from '../cni/error.ts';
import { isObject, type Json, newObject, parseJson, stringifyJson } from '../cni/json.ts';
import { LockTimeoutError, lockFile } from '../kernel/file-lock.ts';
import { withSystemError } from '../kernel/system-error.ts';
import { writeAll } from '../kernel/whole-file.ts';
import { type CachedAttachment, entryOf, readEntry } from './result-cache.ts';

/** What somebody has begun, and is to be taken back when he is gone before its end. */
export interface Begun {
  /** In the order of their ADDs. */
  readonly attachments: readonly CachedAttachment[];
  /** CNI_PATH of their plugins. */
  readonly cniPath: string;
  /** A namespace that was made for them, and goes with them. */
  readonly netns?: string | undefined;
}

/** What one that was killed had begun. */
export interface Left extends Begun {
  /** When he said so. */
  readonly since: Date;
}

/** Of what there are several at a time: many may share it, or one has it alone. */
export type Share = 'shared' | 'alone';

/** How long another call for the same attachment may take. */
const patienceMs = 30_000;

/**
 * The right to work on an attachment, which one process at a time has: a locked file. It says what was begun, before that
 * is done, so that whoever comes after a process that was killed can take it back. Plugins inherit the open file: they
 * hold the lock for as long as one of them runs, also when their caller is gone. The kernel releases it, whatever happens.
 */
export class Claim {
  private constructor(
    readonly path: string,
    readonly fd: number,
    /** What one that was killed has left. */
    readonly left: Left | undefined,
  ) {}

  /** Waits for its turn. Throws code 11 when that does not come, what `signal` says, and SystemError. */
  static async take(
    folder: string,
    name: string,
    { signal, share = 'alone' }: { signal?: AbortSignal | undefined; share?: Share } = {},
  ): Promise<Claim> {
    withSystemError('mkdir', folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
    const path = join(folder, name);
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const claim = Claim.#attempt(path, performance.now() >= deadline, share);
      if (claim !== undefined) return claim;
      await new Promise((resolve) => setTimeout(resolve, 20));
      signal?.throwIfAborted();
    }
  }

  /**
   * The claims that somebody has left without an end, sorted by name. Each is taken when its turn comes, since the end of
   * one may need another; ours until it is released or abandoned. Throws SystemError.
   */
  static *abandoned(folder: string): Generator<Claim> {
    for (const name of namesIn(folder)) {
      const claim = Claim.#attempt(join(folder, name), false, 'alone', MAY_BE_GONE);
      if (claim?.left !== undefined) yield claim;
      else claim?.release();
    }
  }

  /** To be said before anything is done; it is on the disk when this returns. Throws SystemError. */
  begin({ attachments, cniPath, netns }: Begun): void {
    const entries: [string, Json][] = [
      ['plugin-dir', cniPath],
      ['attachments', attachments.map(entryOf)],
    ];
    const begun = newObject(netns === undefined ? entries : [...entries, ['namespace', netns]]);
    withSystemError('write', this.path, () => {
      ftruncateSync(this.fd, 0);
      writeAll(this.fd, stringifyJson(begun));
      fsyncSync(this.fd);
    });
  }

  /** It came to its end, whatever that was: nothing is left to take back. */
  release(): void {
    try {
      if (this.#isAlone()) withSystemError('unlink', this.path, () => rmSync(this.path, { force: true }));
    } finally {
      closeSync(this.fd);
    }
  }

  /** What was begun stays for whoever comes next. */
  abandon(): void {
    closeSync(this.fd);
  }

  /** Of those who share it only the last one may remove it: what is locked must have its name. */
  #isAlone(): boolean {
    try {
      lockFile(this.fd, { path: this.path, timeoutMs: 0 });
      return isStill(this.path, this.fd);
    } catch (error) {
      if (error instanceof LockTimeoutError) return false;
      throw error;
    }
  }

  /** Undefined while somebody else has it. */
  static #attempt(path: string, isLast: boolean, share: Share, flags = MAKE): Claim | undefined {
    const fd = unlessMissing(() => withSystemError('open', path, () => openSync(path, flags, 0o600)));
    if (fd === undefined) return undefined;
    let claim: Claim | undefined;
    try {
      lockFile(fd, { path, timeoutMs: 0, isShared: share === 'shared' });
      // Whoever had it before may have removed it.
      if (isStill(path, fd)) claim = new Claim(path, fd, readBegun(fd));
      return claim;
    } catch (error) {
      if (!(error instanceof LockTimeoutError)) throw error;
      if (!isLast) return undefined;
      const who = error.message.replace(/ after \d+ ms$/, ` after ${patienceMs / 1000} s`);
      throw new CniError(ErrorCode.tryAgainLater, who, { cause: error });
    } finally {
      if (claim === undefined) closeSync(fd);
    }
  }
}

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
// At the end: when what was begun before is cut off, that is the start.
const MAY_BE_GONE = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | O_CLOEXEC;
const MAKE = MAY_BE_GONE | constants.O_CREAT;

/** Whether the open file still has this name. */
export function isStill(path: string, fd: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  const opened = fstatSync(fd);
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
}

/** Half a text is as good as none: nothing is done before it is whole. */
export function readBegun(fd: number): Left | undefined {
  try {
    const { size, mtime } = fstatSync(fd);
    const bytes = Buffer.alloc(size);
    // At a position: what is written later begins at the start.
    readSync(fd, bytes, 0, bytes.length, 0);
    const document = parseJson(bytes.toString('utf8'));
    if (!isObject(document) || !Array.isArray(document.attachments)) return undefined;
    const { 'plugin-dir': cniPath, namespace } = document;
    return {
      attachments: document.attachments.map(readEntry),
      cniPath: String(cniPath ?? ''),
      since: mtime,
      ...(typeof namespace === 'string' ? { netns: namespace } : {}),
    };
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  return (unlessMissing(() => withSystemError('open', folder, () => readdirSync(folder))) ?? []).sort();
}

function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
