import { ConfigurationValue } from './configuration-value.ts';
import { CniError, ErrorCode } from './error.ts';
import type { JsonObject } from './json.ts';
import { type Problem, problemOf } from './problem.ts';
import { isAtLeast, type Version } from './version.ts';

/**
 * What `read` makes of a value that must be there; undefined when it is not, or there is something wrong with it, which
 * is kept with the value's own path.
 */
export type Attempt = <T>(
  value: ConfigurationValue,
  read: (value: ConfigurationValue) => T | undefined,
) => T | undefined;

/** Reads the keys of a configuration one by one, and keeps what is wrong with each, so that all can be said at once. */
export class KeyReader {
  readonly problems: Problem[] = [];
  readonly #root: ConfigurationValue;

  constructor(document: JsonObject) {
    this.#root = new ConfigurationValue('', document);
  }

  /** What `how` makes of the key's value; `otherwise` when it is absent, or there is something wrong with it. */
  read<T>(name: string, how: (value: ConfigurationValue) => T | undefined, otherwise: T): T {
    const keep = (error: CniError) => {
      // Who reads a key twice has one problem with it.
      const isKnown = this.problems.some(({ message }) => message === error.message);
      if (!isKnown) this.problems.push(problemOf(error, name));
    };
    return attempt(() => how(this.#root.key(name)), keep) ?? otherwise;
  }

  /**
   * As `read`, of a key in which several values may be wrong: `how` attempts each of them. It returns what is left of the
   * key, and undefined when that is nothing.
   */
  readEach<T>(
    name: string,
    how: (value: ConfigurationValue, attempt: Attempt) => T | undefined,
    otherwise: T,
  ): T {
    const value = this.#root.key(name);
    const each: Attempt = (part, read) => {
      const present = () => {
        const found = read(part);
        if (found === undefined) throw part.error('is not usable');
        return found;
      };
      return attempt(present, (error) => this.problems.push(problemOf(error, part.path)));
    };
    return value.isAbsent ? otherwise : (how(value, each) ?? otherwise);
  }

  flag(name: string, otherwise = false): boolean {
    return this.read(name, (value) => value.flag(), otherwise);
  }

  /** What is wrong though each key is right by itself. */
  refuse(isWrong: boolean, path: string, message: string): void {
    if (isWrong) this.problems.push({ path, message });
  }

  /** What makes an interface without `ipam` cannot say so in the oldest results. */
  refuseWithoutAddresses(ipamType: string, cniVersion: Version): void {
    this.refuse(
      ipamType === '' && !isAtLeast(cniVersion, '0.3.0'),
      'cniVersion',
      `cniVersion: a result of ${cniVersion} must have an address, and without "ipam" there is none: ask for 0.3.0 or newer`,
    );
  }

  /** Throws code 7 with all problems. */
  throwProblems(): void {
    refuse(this.problems);
  }
}

/**
 * The end of a DEL whose `ipam` could not be read: where the leases are cannot be known then, so they stay, and that must
 * not look like success. Throws code 7.
 */
export function refuseLostIpam(problems: readonly Problem[]): void {
  refuse(problems.filter(({ path }) => path === 'ipam'));
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const message = problems.map(({ message }) => message).join('; ');
  throw new CniError(ErrorCode.invalidConfiguration, message);
}

function attempt<T>(read: () => T, keep: (error: CniError) => void): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    keep(error);
    return undefined;
  }
}
