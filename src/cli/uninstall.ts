import type { Report } from '../installation/deed.ts';
import { conflistFolder, findConflist } from '../installation/find-conflist.ts';
import { uninstall } from '../installation/uninstall.ts';
import { ExitStatus, usageError } from './failure.ts';
import { defaultPluginDir } from './install.ts';
import { orFailure, sayReport } from './installation-report.ts';
import { act, verb } from './verb.ts';

interface Options {
  readonly pluginDir: string;
  readonly into?: string[];
  readonly keepPlugins?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function uninstallCommand() {
  return verb('uninstall', 'make of a node and a chain what they were before install', [
    ['uninstall', `take away what install put into ${defaultPluginDir}, and put back what was there`],
    ['uninstall --into cbr0', 'the chain of network "cbr0", too'],
    ['uninstall --into cbr0 --dry-run', 'only show it'],
    ['uninstall --into cbr0 --keep-plugins', 'the chain alone'],
  ])
    .option('--plugin-dir <dir>', 'the one that install was given', defaultPluginDir)
    .option('--into <conflist>', 'a chain that install was given; may be repeated', collect)
    .option('--keep-plugins', 'restore the chains, and leave the plugins where they are')
    .option('--dry-run', 'only show what would be done')
    .option(
      '--force',
      'also when a chain was changed since, which is kept aside, or still calls a plugin that goes',
    )
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      '\nWhat somebody changed since install stays, and is named; the exit status is 1 then.',
    )
    .action(act(run));
}

async function run(options: Options): Promise<number> {
  const { pluginDir, into = [], keepPlugins = false, dryRun = false, force = false, json = false } = options;
  if (keepPlugins && into.length === 0)
    throw usageError('--keep-plugins needs --into: without a chain to restore there is nothing to do');
  const folder = conflistFolder();
  const report = await orFailure('uninstall', async () =>
    uninstall({
      folder: pluginDir,
      into: [...new Set(into.map((named) => findConflist(named, folder, true)))],
      conflistFolder: folder,
      keepPlugins,
      force,
      dryRun,
    }),
  );
  sayReport(report, {
    json,
    dryRun,
    nothing: 'Nothing to do: nothing of install is here.',
    next: goesByCache(report),
  });
  return report.isAllGone ? 0 : ExitStatus.no;
}

/** ocicni ends an attachment with the chain in libcni's cache. */
function goesByCache({ files, conflists }: Report): string[] {
  const isGone = files.some(({ action, path }) => action === 'removed' && path.endsWith('/cni-debug'));
  if (!isGone || conflists.length === 0) return [];
  return [
    'CRI-O ends a pod with the chain that it was started with. For pods that were started meanwhile, install again',
    'without --into until they are gone.',
  ];
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
