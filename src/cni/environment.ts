import { CniError, ErrorCode } from './error.ts';

/** What a process was given: names to values, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export const commands = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'] as const;

/** The commands that have a network configuration; VERSION has none. */
export type Command = (typeof commands)[number];

/** The CNI_* variables; what the command does not need may be an empty string. */
export interface Parameters {
  readonly command: Command;
  readonly containerID: string;
  readonly netns: string;
  readonly ifName: string;
  readonly args: string;
  readonly path: string;
}

interface Variable {
  readonly name: string;
  readonly requiredFor: readonly Command[];
  /** What is wrong with the value, as the end of a sentence that begins with it. */
  readonly complaint?: (value: string) => string | undefined;
}

/**
 * Section 2, "Parameters". Where the specification lets a variable be absent and the reference's skel does not
 * (CNI_PATH for all but GC), absence is accepted.
 */
const variables: readonly Variable[] = [
  { name: 'CNI_CONTAINERID', requiredFor: ['ADD', 'CHECK', 'DEL'], complaint: containerIDComplaint },
  { name: 'CNI_NETNS', requiredFor: ['ADD', 'CHECK'] },
  { name: 'CNI_IFNAME', requiredFor: ['ADD', 'CHECK', 'DEL'], complaint: ifNameComplaint },
  { name: 'CNI_PATH', requiredFor: ['GC'] },
];

/**
 * Throws code 4: for an unknown command, for the first malformed value, else with the names of all variables that
 * are missing, those apart that the plugin does without. Values are looked at only where the command needs them, as
 * skel does.
 */
export function readParameters(environment: Environment, needless: readonly string[] = []): Parameters {
  const command = commands.find((known) => known === environment.CNI_COMMAND);
  if (command === undefined) {
    throw new CniError(ErrorCode.invalidEnvironment, `unknown CNI_COMMAND: ${environment.CNI_COMMAND}`);
  }
  const required = variables.filter(
    ({ name, requiredFor }) => requiredFor.includes(command) && !needless.includes(name),
  );
  for (const { name, complaint } of required) {
    const value = environment[name] ?? '';
    const wrong = value === '' ? undefined : complaint?.(value);
    if (wrong !== undefined) {
      throw new CniError(ErrorCode.invalidEnvironment, `${name}: ${JSON.stringify(value)} ${wrong}`);
    }
  }
  const missing = required.map(({ name }) => name).filter((name) => (environment[name] ?? '') === '');
  if (missing.length > 0) {
    const message = `required env variables [${missing.join(',')}] missing`;
    throw new CniError(ErrorCode.invalidEnvironment, message);
  }
  return {
    command,
    containerID: environment.CNI_CONTAINERID ?? '',
    netns: environment.CNI_NETNS ?? '',
    ifName: environment.CNI_IFNAME ?? '',
    args: environment.CNI_ARGS ?? '',
    path: environment.CNI_PATH ?? '',
  };
}

/** Container IDs and network names (section 1 and 2); for `"value" ...`, or undefined when it is a good name. */
export function containerIDComplaint(value: string): string | undefined {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(value)) return undefined;
  return 'must begin with a letter or digit and have only letters, digits, "_", "." and "-"';
}

/** What the kernel takes as the name of an interface (dev_valid_name, net/core/dev.c). */
export function ifNameComplaint(value: string): string | undefined {
  if (Buffer.byteLength(value) > 15) return 'is longer than 15 bytes';
  if (value === '.' || value === '..') return 'is not the name of an interface';
  // The kernel takes it for a pattern, of which it makes a name (dev_alloc_name).
  if (value.includes('%')) return 'must have no "%"';
  // U+0085 is white space to Go and not to JavaScript.
  if (/[/:\s\u0085]/u.test(value)) return 'must have no "/", ":" or white space';
  return undefined;
}
