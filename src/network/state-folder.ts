import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { CniError, ErrorCode } from '../cni/error.ts';
import { type Json, parseJson, stringifyJson } from '../cni/json.ts';
import { LockTimeoutError, lockFile } from '../kernel/file-lock.ts';
import { SystemError, withSystemError } from '../kernel/system-error.ts';

/** How long another call may be at it. */
const lockTimeoutMs = 30_000;

/**
 * What is remembered between calls, and forgotten when the node starts anew: a small file of JSON for each name, which
 * is there whole or not at all. A name has no `/` and does not begin with `.`, as those of networks and containers.
 */
export class StateFolder {
  constructor(
    readonly path: string,
    /** Is told of a file that makes no sense; it counts as missing. */
    private readonly warn: (rule: string, object: string, message: string) => void,
  ) {}

  /** Throws SystemError. */
  read(name: string): Json | undefined {
    const file = this.#fileOf(name);
    const text = this.#textOf(file);
    if (text === undefined) return undefined;
    try {
      return parseJson(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.warn('damaged-state', file, `${file} is damaged, and counts as missing: ${reason}`);
      return undefined;
    }
  }

  /** Whether this was written last; a long list is not read for that. Without a value: that there is none. Throws SystemError. */
  holds(name: string, value: Json | undefined): boolean {
    const text = this.#textOf(this.#fileOf(name));
    return text === (value === undefined ? undefined : asText(value));
  }

  /** For whoever holds the lock. Throws SystemError. */
  write(name: string, value: Json): void {
    const file = this.#fileOf(name);
    // What one that was killed has left is overwritten.
    const temporary = `${this.path}/.new`;
    withSystemError('unlink', temporary, () => rmSync(temporary, { force: true }));
    withSystemError('write', temporary, () =>
      writeFileSync(temporary, asText(value), { flag: 'wx', mode: 0o600 }),
    );
    withSystemError('rename', temporary, () => renameSync(temporary, file));
  }

  /** For whoever holds the lock; what is not there is success. Throws SystemError. */
  remove(name: string): void {
    const file = this.#fileOf(name);
    withSystemError('unlink', file, () => rmSync(file, { force: true }));
  }

  /** Of files only: what else somebody has put there says nothing. Throws SystemError. */
  names(): string[] {
    const files = this.#unlessMissing(() =>
      withSystemError('open', this.path, () =>
        readdirSync(this.path, { encoding: 'utf8', withFileTypes: true }),
      ),
    );
    return (files ?? [])
      .filter((file) => file.isFile() && file.name.endsWith(SUFFIX) && !file.name.startsWith('.'))
      .map(({ name }) => name.slice(0, -SUFFIX.length));
  }

  /** Runs it while nobody else does; makes the folder. Throws code 11 when another call does not end, and SystemError. */
  async locked<T>(run: () => T | Promise<T>): Promise<T> {
    const path = `${this.path}/lock`;
    withSystemError('mkdir', this.path, () => mkdirSync(this.path, { recursive: true, mode: 0o755 }));
    const fd = withSystemError('open', path, () => openSync(path, LOCK_FLAGS, 0o600));
    try {
      lockFile(fd, { path, timeoutMs: lockTimeoutMs });
      return await run();
    } catch (error) {
      if (!(error instanceof LockTimeoutError)) throw error;
      throw new CniError(ErrorCode.tryAgainLater, error.message, { cause: error });
    } finally {
      closeSync(fd);
    }
  }

  #fileOf(name: string): string {
    return `${this.path}/${name}${SUFFIX}`;
  }

  #textOf(file: string): string | undefined {
    return this.#unlessMissing(() =>
      withSystemError('open', file, () => readFileSync(file, { encoding: 'utf8' })),
    );
  }

  #unlessMissing<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      if (error instanceof SystemError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

const SUFFIX = '.json';

const asText = (value: Json): string => `${stringifyJson(value)}\n`;

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
const LOCK_FLAGS = constants.O_RDONLY | constants.O_CREAT | O_CLOEXEC;
