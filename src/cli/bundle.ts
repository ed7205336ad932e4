import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { version } from '../../package.json';
import type { Contents } from '../bundle/contents.ts';
import { SystemError } from '../kernel/system-error.ts';
import { writeWholeFile } from '../kernel/whole-file.ts';
import { bundleList, sizeText } from './bundle-list.ts';
import { type AboutOptions, bundleOrder } from './bundle-order.ts';
import { endedBy, endingSignal } from './ending.ts';
import { CommandFailure, ExitStatus, usageError } from './failure.ts';
import { statusOfSignal } from './foreground.ts';
import { withConfDir } from './network-options.ts';
import { withProgress } from './progress.ts';
import { paintFor, say } from './terminal.ts';
import { act, verb } from './verb.ts';

interface BundleOptions extends AboutOptions {
  readonly output?: string;
  readonly yes?: true;
  readonly force?: true;
  readonly dryRun?: true;
}

export function bundleCommand(): Command {
  return withConfDir(
    verb('bundle', 'pack what a maintainer needs to know of a call or a container, without secrets', [
      ['bundle bfed4b2855f40adb -o issue.tar.gz', 'of the record that an error names'],
      ['bundle default/nginx -o issue.tar.gz', 'of a pod; of its calls the last that failed comes first'],
      ['bundle 3f2a0c --dry-run', 'only show what it would hold'],
    ])
      .argument('<record|container>', 'the ID of a record, last, a container ID, or a pod')
      .option('-o, --output <file>', 'where to write it, for you alone to read; - is stdout')
      .option('--cache-dir <folder>', 'what is known of attachments', '/var/lib/cni')
      .option('--plugin-dir <folders>', 'where plugins are, with ":" between several', '/opt/cni/bin')
      .option(
        '--journal <file>',
        'a journal to look at instead of those of --conf-dir; may be repeated',
        more,
      )
      .option('-y, --yes', 'write it without asking')
      .option('--force', 'replace a file that is there')
      .option('--dry-run', 'only show what it would hold'),
  ).action(act(bundle));
}

/** Status 1 when whoever was asked does not want it. */
async function bundle(word: string, options: BundleOptions): Promise<number> {
  const { output, dryRun } = options;
  if (output === undefined && !dryRun)
    throw usageError('-o is missing: where to write it', '-o issue.tar.gz');
  if (output !== undefined && !dryRun) refuseToReplace(output, options);
  const contents = await withProgress('bundle', async (progress) => {
    progress.show('looking at everything');
    const { gather } = await import('../bundle/gather.ts');
    return gather(bundleOrder(word, version, options));
  });
  const list = bundleList(contents, paintFor(output === '-' ? process.stderr : process.stdout));
  if (output === '-') process.stderr.write(list);
  else say(list);
  if (dryRun || output === undefined) return 0;
  if (!options.yes && !(await isWanted(output))) {
    const signal = endedBy();
    return signal === undefined ? ExitStatus.no : statusOfSignal(signal);
  }
  await write(output, contents, options);
  return 0;
}

async function write(output: string, contents: Contents, options: BundleOptions): Promise<void> {
  const [{ archiveOf }, { manifestOf }] = await Promise.all([
    import('../bundle/archive.ts'),
    import('../bundle/gather.ts'),
  ]);
  const now = new Date();
  const manifest = { name: 'contents.json', text: manifestOf(contents, { version, now }) };
  const archive = await archiveOf([manifest, ...contents.files], now);
  if (output === '-') return say(archive);
  // It may have come while somebody thought about it.
  refuseToReplace(output, options);
  const temporary = join(dirname(output), `.${basename(output)}.${process.pid}.tmp`);
  try {
    writeWholeFile(output, archive, { temporary, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new CommandFailure(ExitStatus.unknown, `the bundle could not be written: ${error.message}`);
  }
  say(`${output}: ${sizeText(archive.length).trim()}\n`);
}

function refuseToReplace(output: string, { force }: BundleOptions): void {
  if (output === '-' && process.stdout.isTTY) throw usageError('a bundle is not for a terminal: -o FILE');
  const stats = output === '-' ? undefined : lstatSync(output, { throwIfNoEntry: false });
  if (stats === undefined) return;
  // A device would be gone for everybody, and so would a link to one, as /dev/stdout is.
  if (!stats.isFile())
    throw new CommandFailure(ExitStatus.no, `${output} is there already, and no regular file`, [
      '-o FILE names another; -o - is stdout',
    ]);
  if (force) return;
  throw new CommandFailure(ExitStatus.no, `${output} is there already`, ['--force replaces it']);
}

/** Only a person is asked. */
async function isWanted(output: string): Promise<boolean> {
  if (!process.stdin.isTTY) return true;
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`Write it to ${output}? [y/N] `, { signal: endingSignal() });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    // Ctrl-C and Ctrl-D are a no.
    return false;
  } finally {
    lines.close();
  }
}

function more(path: string, others: readonly string[] = []): readonly string[] {
  return [...others, path];
}
