import { Command } from 'commander';

/** What commander hands to an action: a value for each argument, then the options. */
type Words = readonly unknown[];

/** What a verb does; resolves to the exit status. Rejects with a CommandFailure, a CniError, or what went wrong. */
export type Action<W extends Words> = (...words: W) => Promise<number>;

/**
 * A verb of the command line: the caller adds its arguments and options. `does` is one line, for the list of verbs;
 * `examples` are command lines without `cni-debug`, each with what it is good for.
 */
export function verb(name: string, does: string, examples: readonly (readonly [string, string])[]): Command {
  const command = new Command(name).summary(does).description(`${does[0]?.toUpperCase()}${does.slice(1)}.`);
  if (examples.length === 0) return command;
  const lines = examples.map(([line, why]) => `  # ${why}\n  cni-debug ${line}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** For `Command.action`: keeps the exit status, which `commandLine` answers. */
export function act<W extends Words>(action: Action<W>): (...words: W) => Promise<void> {
  return async (...words) => {
    process.exitCode = await action(...words);
  };
}

export const networkMeans = 'the name of a network in --conf-dir, or the file of one';
export const netnsMeans =
  'a path, a name (ip netns), pid:NUMBER, or the ID of a containerd container or the beginning of one';
export const containerMeans =
  'a PID, a namespace (path or name), or the ID of a containerd container or the beginning of one';
