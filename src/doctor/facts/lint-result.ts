import { SystemError } from '../../kernel/system-error.ts';
import { LintContext } from '../../lint/context.ts';
import { type Read, readTarget } from '../../lint/directory.ts';
import { typesIn } from '../../lint/executable-use.ts';
import type { Finding as LintFinding } from '../../lint/finding.ts';
import { type HostNetwork, readHostNetwork } from '../../lint/host-network.ts';
import { lint } from '../../lint/lint.ts';
import { pluginsOf } from '../../lint/linted-plugin.ts';
import { surveyPlugins } from '../../lint/plugin-survey.ts';
import type { Survey } from '../survey.ts';
import { Unseen } from '../unseen.ts';

/** What `lint` looks at, and what it finds. */
export interface LintResult {
  readonly context: LintContext;
  readonly findings: readonly LintFinding[];
  /** Whether there is a configuration directory at all. */
  readonly hasDirectory: boolean;
}

/** `lint` of the configuration directory, done once. Rejects with Unseen when that cannot be read. */
export function lintOf(survey: Survey): Promise<LintResult> {
  return survey.once('lint', survey.settings.confDir, () => resultOf(survey));
}

async function resultOf(survey: Survey): Promise<LintResult> {
  const { confDir, pluginPath, readers } = survey.settings;
  const read = readDirectory(confDir);
  const { files, directory, unseen } = read ?? { files: [], unseen: [] };
  for (const reason of unseen) survey.overlook(new Unseen(confDir, reason));
  const types = typesIn(files.flatMap(pluginsOf));
  const plugins = await surveyPlugins(types, pluginPath, Object.keys(readers));
  for (const found of plugins.values())
    if (found.kind === 'unknown')
      survey.overlook(new Unseen(found.path, 'this user may not execute it: run it as root'));
  const host = survey.each([survey], hostOf)[0];
  const context = new LintContext(files, readers, directory, { pluginPath, plugins, host });
  return { context, findings: lint(context), hasDirectory: read !== undefined };
}

/** Undefined where there is none. Throws Unseen. */
function readDirectory(path: string): Read | undefined {
  try {
    return readTarget(path);
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return undefined;
    throw new Unseen(path, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function hostOf(survey: Survey): HostNetwork {
  return survey.once('host network', 'addresses and routes of this node', readHostNetwork);
}
