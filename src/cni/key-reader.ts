import { ConfigurationValue } from './configuration-value.ts';
import { CniError, ErrorCode } from './error.ts';
import type { JsonObject } from './json.ts';
import type { Problem } from './schema.ts';

/** Reads the keys of a configuration one by one, and keeps what is wrong with each, so that all can be said at once. */
export class KeyReader {
  readonly problems: Problem[] = [];
  readonly #root: ConfigurationValue;

  constructor(document: JsonObject) {
    this.#root = new ConfigurationValue('', document);
  }

  /** What `how` makes of the key's value; `otherwise` when it is absent, or there is something wrong with it. */
  read<T>(name: string, how: (value: ConfigurationValue) => T | undefined, otherwise: T): T {
    try {
      return how(this.#root.key(name)) ?? otherwise;
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      this.problems.push({ path: name, message: error.message });
      return otherwise;
    }
  }

  flag(name: string): boolean {
    return this.read(name, (value) => value.flag(), false);
  }

  /** What is wrong though each key is right by itself. */
  refuse(isWrong: boolean, path: string, message: string): void {
    if (isWrong) this.problems.push({ path, message });
  }

  /** Throws code 7 with all problems. */
  throwProblems(): void {
    if (this.problems.length === 0) return;
    throw new CniError(
      ErrorCode.invalidConfiguration,
      this.problems.map(({ message }) => message).join('; '),
    );
  }
}
