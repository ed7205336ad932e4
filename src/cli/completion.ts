import { type RootCommand, script } from '@bomb.sh/tab';
import { Argument, type Command } from 'commander';
import type { NetworkList } from '../cni/conflist.ts';
import { containerdTasks } from '../runtime/containerd-tasks.ts';
import { namedNamespaces } from '../runtime/find-namespace.ts';
import { networkFiles } from '../runtime/network-files.ts';
import { act, verb } from './verb.ts';

export function completionCommand(): Command {
  return verb('completion', 'print what makes a shell complete these words', [
    ['completion bash > /etc/bash_completion.d/cni-debug', 'for good'],
    ['completion zsh > ~/.zfunc/_cni-debug', 'in a folder of $fpath'],
    ['completion fish | source', 'for this shell'],
  ])
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(
      act(async (shell: string) => {
        script(shell, 'cni-debug', 'cni-debug');
        return 0;
      }),
    );
}

/** What the script asks: the words so far, of which the last is to be completed. */
export function completeCommand(): Command {
  return verb('complete', 'answer the script of a shell', []).argument('[words...]').action(act(complete));
}

async function complete(words: readonly string[]): Promise<number> {
  const { programFor } = await import('./command-line.ts');
  const { default: tab } = await import('@bomb.sh/tab/commander');
  const root = tab(await programFor([]));
  offer(root);
  root.parse([...words]);
  return 0;
}

/** Completes arguments by what there is on this node. */
function offer(root: RootCommand): void {
  const networks = () =>
    networkFiles(process.env.NETCONFPATH || '/etc/cni/net.d').networks.map(({ list }) => list);
  for (const command of root.commands.values()) {
    for (const argument of command.arguments.values()) {
      if (argument.name === 'network')
        argument.handler = (found) =>
          attempt(networks).forEach((list) => void found(list.name, typesOf(list)));
      if (argument.name === 'netns' || argument.name === 'container')
        argument.handler = (found) => {
          for (const name of attempt(namedNamespaces)) found(name, 'network namespace');
          for (const { id, namespace } of attempt(containerdTasks)) found(id, `container in ${namespace}`);
        };
    }
  }
}

function typesOf({ plugins }: NetworkList): string {
  return plugins.map(({ type }) => String(type)).join(', ');
}

/** Who completes a word has no use for errors. */
function attempt<T>(look: () => T[]): T[] {
  try {
    return look();
  } catch {
    return [];
  }
}
