import { lookUp } from '../cni/keys.ts';
import type { LintContext } from './context.ts';
import { versionOfFile } from './linted-file.ts';
import { ipamTypeOf, type LintedPlugin, pathIn } from './linted-plugin.ts';
import { readsIpam } from './plugin-nature.ts';
import { referenceReaders } from './reference-readers.ts';

/** What a plugin's own reader says. */
export interface ReadingProblem {
  readonly plugin: LintedPlugin;
  /** In the file. */
  readonly at: string;
  readonly message: string;
  /** Where its keys are described. */
  readonly page: string;
}

/**
 * What the readers of a plugin and of its `ipam` refuse: ours, which are the very ones of the plugins, and for types that
 * we do not have what their reference refuses.
 */
export function readingProblems(plugin: LintedPlugin, context: LintContext): ReadingProblem[] {
  const { type, value } = plugin;
  const ipamType = ipamTypeOf(value);
  const own = problemsOf(plugin, type, context);
  return readsIpam(plugin) && ipamType !== type ? [...own, ...problemsOf(plugin, ipamType, context)] : own;
}

/** What only ours refuses; the reference's plugin of that name, if it is the one that is there, takes it. */
const oursAlone: Readonly<Record<string, readonly string[]>> = { portmap: ['conditionsV4', 'conditionsV6'] };

function problemsOf(plugin: LintedPlugin, type: string, context: LintContext): ReadingProblem[] {
  const { readers: ours, machine } = context;
  const found = machine?.plugins.get(type);
  const isAnother = found?.kind === 'sound' && !found.isOurs;
  const taken = isAnother && Object.hasOwn(oursAlone, type) ? (oursAlone[type] ?? []) : [];
  const isOurs = Object.hasOwn(ours, type);
  const read = isOurs
    ? ours[type]
    : Object.hasOwn(referenceReaders, type)
      ? referenceReaders[type]
      : undefined;
  if (read === undefined) return [];
  const page = isOurs ? `plugins/${type}/README.md` : 'https://www.cni.dev/plugins/current/';
  const problems = read(plugin.value, versionOfFile(plugin.file));
  return problems
    .filter(({ path }) => !taken.includes(path))
    .map((problem) => {
      const at = placeIn(plugin, problem.at ?? problem.path);
      return { plugin, at, page, message: `"${type}" refuses it: ${problem.message}` };
    });
}

/** What the list says, a plugin is given by the runtime. */
function placeIn(plugin: LintedPlugin, path: string): string {
  const isOfList = path === 'cniVersion' && lookUp(plugin.value, path) === undefined;
  return isOfList ? path : pathIn(plugin, path);
}
