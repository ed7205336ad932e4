import { lookUp } from '../cni/keys.ts';
import { conflistsIn, readConflist } from './find-conflist.ts';
import { Refusal } from './refusal.ts';
import type { UninstallOrder } from './uninstall.ts';

/**
 * A conflist that calls a plugin which is not there keeps every pod of the node from starting. Looked at are those
 * that install has edited, and those of the runtime, but for those that are restored. Throws Refusal.
 */
export function refuseIfCalled(
  { into, conflistFolder, folder }: UninstallOrder,
  edited: readonly string[],
  going: readonly string[],
): void {
  const listed = edited.map((path) => [path, readConflist(path)] as const);
  const calling = new Map([...conflistsIn(conflistFolder), ...listed]);
  for (const path of into) calling.delete(path);
  for (const [path, list] of calling) {
    const types = list?.plugins.map((plugin) => String(lookUp(plugin, 'type'))) ?? [];
    const type = types.find((name) => going.includes(name));
    if (type === undefined) continue;
    const words = [...into, path].flatMap((each) => ['--into', each]).join(' ');
    const whole = `cni-debug uninstall --plugin-dir ${folder} ${words}`;
    throw new Refusal(`${path} still calls "${type}", which is about to go: no pod would start any more`, [
      edited.includes(path)
        ? `to restore it, too: ${whole}`
        : `take "${type}" out of it first, or put another plugin of that name there`,
      '--force uninstalls all the same',
    ]);
  }
}
