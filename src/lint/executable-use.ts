import type { LintContext, Machine } from './context.ts';
import { hasFlag, ipamTypeOf, type LintedPlugin, pathIn } from './linted-plugin.ts';
import { readsIpam } from './plugin-nature.ts';
import type { FoundPlugin } from './plugin-survey.ts';

/** An executable that a file asks for. */
export interface ExecutableUse {
  readonly plugin: LintedPlugin;
  readonly type: string;
  /** Of the type in the file. */
  readonly path: string;
  readonly found: FoundPlugin;
}

/** The types of all plugins and of those that give them addresses. */
export function typesIn(plugins: readonly LintedPlugin[]): string[] {
  return plugins.flatMap((plugin) => typesOf(plugin).map(({ type }) => type));
}

/** Every executable that is needed, in the order of the files; none where the machine is not looked at. */
export function executableUses({ plugins, machine, readers }: LintContext): ExecutableUse[] {
  if (machine === undefined) return [];
  const ours = Object.keys(readers);
  return plugins.flatMap((plugin) =>
    typesOf(plugin).flatMap(({ type, path, isIpam }) => {
      const found = machine.plugins.get(type);
      if (found === undefined) return [];
      const isInProcess = isIpam
        ? type === 'host-local' && isRunByOurs(plugin, machine, ours)
        : isDelegateInProcess(plugin, machine, ours);
      // One that is there is run, whoever asks for it; of ours, not even that.
      return isInProcess && (isIpam || found.kind === 'missing') ? [] : [{ plugin, type, path, found }];
    }),
  );
}

function typesOf(plugin: LintedPlugin): { type: string; path: string; isIpam: boolean }[] {
  const own = { type: plugin.type, path: pathIn(plugin, 'type'), isIpam: false };
  const ipam = { type: ipamTypeOf(plugin.value), path: pathIn(plugin, 'ipam.type'), isIpam: true };
  const asked = readsIpam(plugin) ? [own, ipam] : [own];
  return asked.filter(({ type }) => type !== '');
}

/** Whether it is one of our plugins, as an executable or inside another one. */
function isRunByOurs(plugin: LintedPlugin, machine: Machine, ours: readonly string[]): boolean {
  const found = machine.plugins.get(plugin.type);
  if (found?.kind === 'sound') return found.isOurs;
  // Only our debug does more than to log: that it is missing is a finding of its own.
  return (plugin.type === 'debug' && found?.kind === 'missing') || isDelegateInProcess(plugin, machine, ours);
}

/** Whether it is run inside the one that delegates to it, where there is no executable of it. */
function isDelegateInProcess(
  { type, outer }: LintedPlugin,
  machine: Machine,
  ours: readonly string[],
): boolean {
  if (outer === undefined || !ours.includes(type) || type === 'debug') return false;
  if (outer.type === 'debug' && hasFlag(outer.value, 'external')) return false;
  return isRunByOurs(outer, machine, ours);
}
