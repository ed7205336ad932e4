import { basename, dirname, join } from 'node:path';
import { SystemError } from '../kernel/system-error.ts';
import { allOrNothing, type Undo } from '../network/undo.ts';
import type { Place } from './conflist-edit.ts';
import { type ConflistPlan, planConflist } from './conflist-plan.ts';
import { readConflistText } from './conflist-text.ts';
import { readChunks } from './content.ts';
import type { Report } from './deed.ts';
import { reportOf } from './install-report.ts';
import { emptyManifest, type Manifest, manifestPathIn, manifestText, readManifest } from './manifest.ts';
import { makeFolder, missingFolders, realFolder, unmakeFolders, whileLocked } from './plugin-folder.ts';
import { executableName, libraryName } from './plugin-names.ts';
import { isStillThere, type PluginPlan, planPlugin, type Wanted } from './plugin-plan.ts';
import { Refusal } from './refusal.ts';
import { exists, leftoversIn, Replacement, remove } from './replacement.ts';

/** What is copied to a folder of plugins. */
export interface Program {
  /** Where the executable is read. */
  readonly path: string;
  readonly content: string;
  readonly library: { readonly bytes: Uint8Array; readonly content: string };
}

export interface InstallOrder {
  readonly program: Program;
  readonly folder: string;
  /** Of the links. */
  readonly names: readonly string[];
  readonly into?: { readonly path: string; readonly type: string; readonly place: Place } | undefined;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Is told of what could not be taken back. */
  readonly warn: (message: string) => void;
}

/** All that is to be done, before anything is. */
export interface InstallPlan {
  readonly folder: string;
  /** Folders that are not there. */
  readonly made: readonly string[];
  readonly before: Manifest;
  readonly after: Manifest;
  readonly plugins: readonly PluginPlan[];
  readonly conflist: ConflistPlan | undefined;
  /** Of a run that was killed. */
  readonly leftovers: readonly string[];
}

/**
 * Puts the program into a folder of plugins, and into a chain: all of it, or nothing. Once more, it does only what is
 * still to be done, which may be nothing. Rejects with Refusal, CniError, SystemError, LockTimeoutError, and the reason
 * of an aborted signal.
 */
export async function install(order: InstallOrder): Promise<Report> {
  const folder = realFolder(order.folder);
  const into = order.into && dirname(order.into.path);
  if (order.dryRun) return reportOf(await planInstall(order, folder));
  // What is refused is refused before a folder is made for it.
  if (missing(folder)) await planInstall(order, folder);
  for (;;) {
    const made = await makeFolder(folder);
    const folders = into === undefined ? [folder] : [folder, into];
    try {
      return await whileLocked(folders, () => perform(order, folder, made));
    } catch (error) {
      // An uninstall took it away just now.
      if (!(error instanceof SystemError && error.code === 'ENOENT' && missing(folder))) throw error;
      if (made.length > 0) throw error;
    }
  }
}

async function planInstall(order: InstallOrder, folder: string): Promise<InstallPlan> {
  const { program, names, into, force } = order;
  const known = readManifest(folder);
  const before = known ?? emptyManifest;
  const files: [string, Wanted][] = [
    [libraryName, { kind: 'file', content: program.library.content, mode: 0o644 }],
    [executableName, { kind: 'file', content: program.content, mode: 0o755 }],
  ];
  const links = names.map((name): [string, Wanted] => [name, { kind: 'link', to: program.content }]);
  const plugins: PluginPlan[] = [];
  for (const [name, wanted] of [...files, ...links]) {
    order.signal.throwIfAborted();
    plugins.push(await planPlugin(join(folder, name), wanted, before.plugins[name], force));
  }
  refuseBlocked(plugins);
  const conflist = into && planConflist(into.path, before.conflists[into.path], into.type, into.place, force);
  const after = {
    ...before,
    plugins: { ...before.plugins, ...Object.fromEntries(plugins.map(({ name, kept }) => [name, kept])) },
    conflists: conflist?.kept ? { ...before.conflists, [conflist.path]: conflist.kept } : before.conflists,
  };
  const leftovers = missing(folder) ? [] : leftoversIn(folder);
  if (into !== undefined) leftovers.push(...leftoversIn(dirname(into.path), basename(into.path)));
  return { folder, made: missingFolders(folder), before, after, plugins, conflist, leftovers };
}

function refuseBlocked(plugins: readonly PluginPlan[]): void {
  const blocked = plugins.filter(({ action }) => action === 'blocked');
  if (blocked.length === 0) return;
  const what = blocked.map(({ path, obstacle }) => `${path} ${obstacle}`).join(', and ');
  const canForce = blocked.every(({ canForce }) => canForce);
  const advice = '--force keeps it beside its place, and uninstall puts it back';
  throw new Refusal(`nothing was installed: ${what}`, canForce ? [advice] : []);
}

async function perform(order: InstallOrder, folder: string, made: readonly string[]): Promise<Report> {
  return allOrNothing({ warn: (_, __, message) => order.warn(message) }, async (undo) => {
    if (made.length > 0) undo.push(folder, () => unmakeFolders(made));
    const plan = await planInstall(order, folder);
    for (const path of plan.leftovers) remove(path);
    await carryOut(order, plan, undo);
    return reportOf({ ...plan, made });
  });
}

/** First all that takes room; then what was intended, so that a `kill -9` leaves nothing unknown; then the rest. */
async function carryOut(order: InstallOrder, plan: InstallPlan, undo: Undo): Promise<void> {
  const { conflist } = plan;
  const puts = plan.plugins.filter(({ action }) => action === 'put');
  const staged: (() => void)[] = [];
  const finished: Replacement[] = [];
  const add = (path: string, keepAs?: string) => {
    const replacement = new Replacement(path);
    finished.push(replacement);
    staged.push(() => replacement.commit(undo, keepAs && join(dirname(path), keepAs)));
    return replacement;
  };
  const text = manifestText(plan.after);
  if (text !== manifestText(plan.before)) {
    await add(manifestPathIn(plan.folder)).stageFile(undo, [Buffer.from(text)], owned(0o644));
  }
  for (const { path, name, wanted, backup } of puts) {
    const replacement = add(path, backup);
    if (wanted.kind === 'link') replacement.stageLink(undo, executableName);
    else await replacement.stageFile(undo, source(order, name), owned(wanted.mode), order.signal);
  }
  if (conflist !== undefined && conflist.done !== '') {
    const { mode, uid, gid } = conflist.current.stats;
    const ownership = { mode: mode & 0o7777, owner: isRoot() ? { uid, gid } : undefined };
    const replacement = add(conflist.path, conflist.backup);
    await replacement.stageFile(undo, [Buffer.from(conflist.text)], ownership);
  }
  order.signal.throwIfAborted();
  refuseIfChanged(plan);
  for (const commit of staged) commit();
  for (const replacement of finished) replacement.finish();
}

function source({ program }: InstallOrder, name: string) {
  return name === libraryName ? [program.library.bytes] : readChunks(program.path);
}

/** A package that is being installed, or a network that writes its conflist anew, may have done so meanwhile. */
function refuseIfChanged({ plugins, conflist }: InstallPlan): void {
  const changed = plugins.filter((plugin) => !isStillThere(plugin)).map(({ path }) => path);
  if (conflist !== undefined && readConflistText(conflist.path)?.content !== conflist.current.content)
    changed.push(conflist.path);
  if (changed.length === 0) return;
  throw new Refusal(`somebody changed ${changed.join(', ')} just now, and nothing was done`, ['try again']);
}

const isRoot = (): boolean => process.geteuid?.() === 0;
const owned = (mode: number) => ({ mode, owner: isRoot() ? { uid: 0, gid: 0 } : undefined });

function missing(folder: string): boolean {
  return !exists(folder);
}
