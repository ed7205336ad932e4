import type { Stats } from 'node:fs';
import { errnoText } from '../kernel/errno.ts';
import { SystemError } from '../kernel/system-error.ts';

/** A log that cannot be written: `log "/tmp/x.log": is a symbolic link; remove it, or name another file`. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';

  /**
   * @param path the log
   * @param problem what is wrong with it, the sentence that its name begins
   * @param remedy what the operator can do about it
   * @param code the name of the error number where a system call failed: `ENOSPC`
   */
  constructor(
    readonly path: string,
    problem: string,
    readonly remedy: string,
    readonly code?: string,
    options?: ErrorOptions,
  ) {
    super(`log ${JSON.stringify(path)}: ${problem}; ${remedy}`, options);
  }

  /** What was thrown on the way to the log, with what can be done about it. */
  static from(path: string, thrown: unknown): LogFileError {
    if (thrown instanceof LogFileError) return thrown;
    if (!(thrown instanceof SystemError)) {
      const problem = thrown instanceof Error ? thrown.message : String(thrown);
      return new LogFileError(path, problem, anotherFile, undefined, { cause: thrown });
    }
    const { call, errno, target, code } = thrown;
    const what = target === path ? `${call}: ${errnoText(errno)} (${code})` : thrown.message;
    return new LogFileError(path, what, remedies[code] ?? anotherFile, code, { cause: thrown });
  }
}

/** Rule 5 of the design: nothing is written to what another user could have put there. Throws LogFileError. */
export function refuseUnlessOurs(path: string, stats: Stats): void {
  const user = process.geteuid?.() ?? 0;
  if (!stats.isFile()) {
    const remedy = stats.isSymbolicLink() ? removeIt : anotherFile;
    throw new LogFileError(path, `is ${kindOf(stats)}, not a regular file`, remedy);
  }
  if (stats.uid !== user)
    throw new LogFileError(path, `belongs to user ${stats.uid}, not to ${user}`, removeIt);
  if (stats.nlink > 1)
    throw new LogFileError(path, `has ${stats.nlink} hard links, so it may be another's file`, removeIt);
}

const anotherFile = 'name another file in the configuration, or none';
const removeIt = `remove it, or ${anotherFile}`;

const remedies: Record<string, string> = {
  ENOENT: `make its folder, or ${anotherFile}`,
  ENOTDIR: anotherFile,
  EACCES: `let user ${process.geteuid?.()} write there, or ${anotherFile}`,
  EPERM: `let user ${process.geteuid?.()} write there, or ${anotherFile}`,
  EROFS: `mount it writable, or ${anotherFile}`,
  ENOSPC: `free some space, or ${anotherFile}`,
  EDQUOT: `free some space, or ${anotherFile}`,
};

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
