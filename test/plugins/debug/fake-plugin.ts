import { expect } from 'bun:test';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, answered, Scratch } from '../../program.ts';

/** What the fake plugin was given in one call. */
export interface Given {
  readonly command: string;
  readonly stdin: string;
  readonly environment: Record<string, string>;
}

/** A result that the fake plugin can answer with; the namespace it speaks of is not there, which is no error. */
export const result = {
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: '0a:58:0a:16:00:07', sandbox: '/run/netns/none' }],
  ips: [{ address: '10.22.0.7/16', gateway: '10.22.0.1', interface: 0 }],
};

/** Calls of the debug plugin that wrap a plugin `fake`, which keeps what it is given. For `using`. */
export class FakePlugin extends Scratch {
  readonly path = join(this.folder, 'fake');
  private readonly given = join(this.folder, 'given');

  /** @param body a shell script: what the plugin does, for every command, unless `answer` is used for ADD */
  constructor(body = answer(result)) {
    super();
    this.write(body);
  }

  write(body: string, interpreter = '/bin/sh'): void {
    this.writeOther('fake', body, interpreter);
  }

  /** Another plugin beside it, whose calls are kept with its own. */
  writeOther(type: string, body = '', interpreter = '/bin/sh'): void {
    const path = join(this.folder, type);
    const keep = 'd=$(dirname "$0"); n=$(($(ls "$d/given" 2>/dev/null | wc -l) / 2)); mkdir -p "$d/given"';
    const stdin = 'cat > "$d/given/$n.stdin"; cat /proc/$$/environ > "$d/given/$n.environment"';
    writeFileSync(path, `#!${interpreter}\n${keep}\n${stdin}\n${body}\n`);
    chmodSync(path, 0o755);
  }

  /** A call with the fake plugin as delegate; `delegate` are its further keys. */
  wrap(command: string, keys: Record<string, unknown> = {}, delegate: object = {}, argv?: string[]) {
    return this.call(command, { delegate: { type: 'fake', ...delegate }, ...keys }, {}, argv);
  }

  /** Every call of it, in order. */
  calls(): Given[] {
    const calls: Given[] = [];
    while (existsSync(join(this.given, `${calls.length}.environment`))) {
      const environment = environmentOf(join(this.given, `${calls.length}.environment`));
      const stdin = readFileSync(join(this.given, `${calls.length}.stdin`), 'utf8');
      calls.push({ command: environment.CNI_COMMAND ?? '', stdin, environment });
    }
    return calls;
  }

  /** `ADD fake`, and so on. */
  commandsWithTypes(): string[] {
    return this.calls().map(({ command, stdin }) => `${command} ${JSON.parse(stdin).type}`);
  }

  commands(): string[] {
    return this.calls().map(({ command }) => command);
  }

  /** What the one call of it found on stdin. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads a configuration as a plugin does.
  configurationGiven(command = 'ADD'): any {
    const [call, ...others] = this.calls().filter((given) => given.command === command);
    if (call === undefined || others.length > 0) throw new Error(`${this.commands()} is not one ${command}`);
    return JSON.parse(call.stdin);
  }

  /** The record of kind `call` that the error's details name, after a `begin` with the same id. */
  recordNamed(given: Answer) {
    const { details } = answered(given);
    const [, id, journal] = /(?:^|; )record ([0-9a-f]{16}) in (\S+)$/.exec(details) ?? [];
    expect(journal).toBe(this.journal);
    const records = this.records().filter((record) => record.id === id);
    expect(records.map(({ kind }) => kind)).toEqual(['begin', 'call']);
    return records[1];
  }

  /** A file that the script made in `$d`, or one of the logs. */
  text(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  /** A number in such a file, as `echo $! > "$d/child"` leaves it. */
  number(name: string): number {
    return Number(this.text(name));
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

/** The script's answer to ADD; nothing for the other commands. */
export function answer(document: object): string {
  return `[ "$CNI_COMMAND" != ADD ] || printf '%s' '${JSON.stringify(document)}'`;
}

function environmentOf(path: string): Record<string, string> {
  const pairs = readFileSync(path, 'utf8').split('\0').slice(0, -1);
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}
