import { version } from '../../package.json';

const usage = `cni-debug ${version}: makes the plugins of a CNI chain visible

  cni-debug demo       runs a chain through a scratch namespace and shows what was recorded
  cni-debug --help
  cni-debug --version

As a plugin it is called "debug": see plugins/debug/README.md for its keys.
`;

/** Runs one verb. Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 it could not be looked at. */
export async function commandLine(words: readonly string[]): Promise<number> {
  const [verb, ...more] = words;
  if (verb === 'demo' && more.length === 0) {
    const { demo } = await import('./demo.ts');
    return demo();
  }
  if (verb === '--version' && more.length === 0) return say(`${version}\n`);
  if (verb === undefined || verb === '--help' || verb === 'help') return say(usage);
  process.stderr.write(`cni-debug: unknown command: ${words.join(' ')}\n\n${usage}`);
  return 2;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}
