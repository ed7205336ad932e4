import type { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import type { Command } from '../../src/cni/environment.ts';
import { ValueError } from '../../src/cni/error.ts';
import { JsonNumber } from '../../src/cni/json.ts';
import type { Attempt } from '../../src/cni/key-reader.ts';
import type { AnswerFault } from '../../src/cni/plugin.ts';
import { duration } from './key-values.ts';

/** What is done to a call on purpose, for those who test their runtime. */
export interface Fault extends AnswerFault {
  readonly commands: readonly Command[];
  /** ms before anything is done. */
  readonly delay: number | undefined;
  readonly error: { readonly code: number; readonly msg: string } | undefined;
  /** Of all attachments, 0 to 1. */
  readonly probability: number;
  /** Which of them: digits. */
  readonly seed: string;
}

const everyCommand = ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'] as const;

/** Runtimes give up long before. */
const longestDelayMs = 10 * 60_000;

/** @param isAllowed whether the same configuration has `allowFaults` */
export function fault(isAllowed: boolean) {
  return (value: ConfigurationValue, attempt: Attempt): Fault | undefined => {
    if (!isAllowed) return attempt(value, () => refuse(value));
    if (attempt(value, () => value.object()) === undefined) return undefined;
    let isWhole = true;
    const read = <T>(key: string, how: (part: ConfigurationValue) => T | undefined): T | undefined => {
      const part = value.key(key);
      const found = part.isAbsent ? undefined : attempt(part, how);
      isWhole &&= part.isAbsent || found !== undefined;
      return found;
    };
    const {
      commands = everyCommand,
      probability = 1,
      seed = '0',
      ...deeds
    } = {
      commands: read('commands', commandsOf),
      delay: read('delay', delay),
      error: read('error', error),
      exit: read('exit', exit),
      stdout: read('stdout', (part) => part.oneOf('malformed', 'empty', 'twice')),
      probability: read('probability', probabilityOf),
      seed: read('seed', (part) => digitsOf(part)),
    };
    if (!isWhole) return undefined;
    return attempt(value, () => {
      if (Object.values(deeds).every((deed) => deed === undefined))
        throw value.error('does nothing: it has none of "delay", "error", "exit" and "stdout"');
      return { ...deeds, commands, probability, seed };
    });
  };
}

function refuse({ path }: ConfigurationValue): never {
  const message =
    `${path}: makes calls fail on purpose, and the configuration does not allow that. On a node that is there for ` +
    'tests, add "allowFaults": true beside it; on any other, remove it';
  throw new ValueError(path, message);
}

function commandsOf(list: ConfigurationValue): Command[] {
  const commands = list.elements().map((item) => item.oneOf(...everyCommand) ?? missing(item));
  if (commands.length === 0) throw list.error('names no command');
  return commands;
}

function delay(value: ConfigurationValue): number | undefined {
  const ms = duration(value);
  if (ms !== undefined && ms > longestDelayMs) throw value.error('is longer than ten minutes');
  return ms;
}

function error(value: ConfigurationValue): Fault['error'] {
  const code = value.key('code');
  const number = code.isAbsent ? missing(code) : code.integer();
  if (typeof number !== 'number' || number < 1 || number > 0xffff_ffff)
    throw code.error('is no code of an error: these begin with 1');
  return { code: number, msg: value.key('msg').text() ?? 'an error that "fault" asks for' };
}

function exit(value: ConfigurationValue): number | undefined {
  const status = value.integer();
  const isStatus = typeof status === 'number' && status >= 0 && status < 128;
  if (isStatus || (typeof status === 'number' && isDeadly(status - 128))) return status;
  throw value.error(
    'is neither an exit status, 0 to 127, nor 128 and the number of a signal that ends a process',
  );
}

/** SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH: by their numbers, because node:os takes time. */
const harmless = [17, 18, 19, 20, 21, 22, 23, 28];

function isDeadly(signal: number): boolean {
  return signal >= 1 && signal <= 31 && !harmless.includes(signal);
}

function probabilityOf(value: ConfigurationValue): number | undefined {
  const number = value.value instanceof JsonNumber ? Number(value.value.text) : value.value;
  if (typeof number === 'number' && number >= 0 && number <= 1) return number;
  throw value.error('is no number from 0 to 1');
}

function digitsOf(value: ConfigurationValue): string {
  const number = value.integer();
  return number instanceof JsonNumber ? number.text : String(number);
}

function missing(value: ConfigurationValue): never {
  throw value.error('is missing');
}
