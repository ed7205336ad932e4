import { errnoName, errnoNumber, errnoText } from './errno.ts';

/** A system call that failed: `open "/var/run/netns/x": No such file or directory (ENOENT)`. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** The name of the error number, as Node's own errors have it: `ENOENT`. */
  readonly code: string;

  /**
   * @param call the system call, as its manual page is named
   * @param errno positive, as in errno(3)
   * @param target the object acted on: a path, mostly
   */
  constructor(
    readonly call: string,
    readonly errno: number,
    readonly target?: string,
    options?: ErrorOptions,
  ) {
    const what = target === undefined ? call : `${call} ${JSON.stringify(target)}`;
    super(`${what}: ${errnoText(errno)} (${errnoName(errno)})`, options);
    this.code = errnoName(errno);
  }
}

/**
 * Runs a function of node:fs, whose errors say neither the object first nor the kernel's own text, and throws a
 * SystemError in their place. Errors that no system call made come through unchanged.
 */
export function withSystemError<T>(call: string, target: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const errno = errnoNumber(codeOf(error));
    throw errno === undefined ? error : new SystemError(call, errno, target, { cause: error });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
