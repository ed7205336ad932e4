import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withSystemError } from '../kernel/system-error.ts';
import { syncFolder } from '../kernel/whole-file.ts';
import type { Undo } from '../network/undo.ts';

/** What a file that is written belongs to, and who may do what with it. */
export interface Ownership {
  /** The permission bits. */
  readonly mode: number;
  /** Only root can give a file away; without, it belongs to whoever writes it. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * What is to lie under a name, in two steps: `stage…` writes it whole beside that place, under a name that no runtime
 * looks for; `commit` puts it there by rename. So whoever has the old one open keeps it, nobody sees half of it, and
 * a full disk is noticed before anything was changed. What was there stays aside until `finish`.
 */
export class Replacement {
  readonly #temporary: string;
  readonly #former: string;

  constructor(readonly path: string) {
    this.#temporary = asideOf(path, 'new');
    this.#former = asideOf(path, 'old');
  }

  /** Throws SystemError, and the reason of a signal that is aborted meanwhile. */
  async stageFile(
    undo: Undo,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { mode, owner }: Ownership,
    signal?: AbortSignal,
  ): Promise<void> {
    const path = this.#temporary;
    this.#begin(undo);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    const fd = withSystemError('open', path, () => openSync(path, flags, 0o600));
    try {
      for await (const chunk of chunks) {
        signal?.throwIfAborted();
        withSystemError('write', this.path, () => writeAll(fd, chunk));
      }
      if (owner !== undefined)
        withSystemError('chown', this.path, () => fchownSync(fd, owner.uid, owner.gid));
      withSystemError('chmod', this.path, () => fchmodSync(fd, mode));
      withSystemError('fsync', this.path, () => fsyncSync(fd));
    } finally {
      closeSync(fd);
    }
  }

  /** Throws SystemError. */
  stageLink(undo: Undo, target: string): void {
    this.#begin(undo);
    withSystemError('symlink', this.path, () => symlinkSync(target, this.#temporary));
  }

  /**
   * @param keepAs where what was there before stays for good: the very file, with its mode, owner and times
   * @throws SystemError
   */
  commit(undo: Undo, keepAs?: string): void {
    const { path } = this;
    const before = keepAs ?? this.#former;
    if (exists(path)) {
      keep(path, before);
      undo.push(path, () => putBack(before, path));
      // On the disk, too, it has two names before it loses one.
      if (keepAs !== undefined) syncFolder(dirname(path));
    } else {
      undo.push(path, () => rmSync(path, { force: true }));
    }
    withSystemError('rename', path, () => renameSync(this.#temporary, path));
    syncFolder(dirname(path));
  }

  /** When nothing can fail any more, this included: what it leaves, the next run removes. */
  finish(): void {
    try {
      rmSync(this.#former, { force: true });
    } catch {
      // Everything is in its place.
    }
  }

  #begin(undo: Undo): void {
    for (const path of [this.#temporary, this.#former])
      withSystemError('unlink', path, () => rmSync(path, { force: true }));
    undo.push(this.#temporary, () => rmSync(this.#temporary, { force: true }));
  }
}

/** What a `Replacement` that was killed has left: of one name, or of every name in the folder. */
export function leftoversIn(folder: string, name?: string): string[] {
  const isLeftover = (file: string) => {
    const [, of = ''] = /^\.(.+)\.cni-debug-(?:new|old)$/.exec(file) ?? [];
    return of !== '' && (name === undefined || of === name || of.startsWith(`${name}.cni-debug-`));
  };
  return withSystemError('open', folder, () => readdirSync(folder))
    .filter(isLeftover)
    .map((file) => join(folder, file));
}

/** The path with which something lies beside its place: hidden, and with an ending that nobody loads. */
export function asideOf(path: string, what: 'new' | 'old'): string {
  return join(dirname(path), asideNameOf(basename(path), what));
}

/** Absence is success. Throws SystemError. */
export function remove(path: string): void {
  withSystemError('unlink', path, () => rmSync(path, { force: true }));
}

export function exists(path: string): boolean {
  return withSystemError('lstat', path, () => lstatSync(path, { throwIfNoEntry: false })) !== undefined;
}

/** The file of `kept` has its place again, whether or not another one has it now. */
export function putBack(kept: string, path: string): void {
  withSystemError('rename', path, () => renameSync(kept, path));
  // Two names of one file: then rename(2) does nothing.
  rmSync(kept, { force: true });
  syncFolder(dirname(path));
}

/** A second name for what lies at `path`, in place of what has that name. Throws SystemError. */
export function keep(path: string, as: string): void {
  if (isSameFile(path, as)) return;
  if (!exists(as)) {
    withSystemError('link', path, () => linkSync(path, as));
    return;
  }
  const aside = asideOf(as, 'new');
  rmSync(aside, { force: true });
  withSystemError('link', path, () => linkSync(path, aside));
  withSystemError('rename', as, () => renameSync(aside, as));
}

export function isSameFile(one: string, other: string): boolean {
  const [left, right] = [one, other].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  return left !== undefined && right !== undefined && left.dev === right.dev && left.ino === right.ino;
}

function asideNameOf(name: string, what: 'new' | 'old'): string {
  return `.${name}.cni-debug-${what}`;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
}
