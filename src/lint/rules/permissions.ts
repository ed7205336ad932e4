import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { executableUses } from '../executable-use.ts';
import type { Rule } from '../rule.ts';
import { shellWord } from '../shell-word.ts';

export const fileWritable: Rule = {
  id: 'L029',
  name: 'file-writable',
  severity: 'warning',
  summary: 'Others than root can change a configuration, and with it what root executes.',
  *check({ files, directory, machine }) {
    if (machine === undefined) return;
    for (const { path, stats } of [
      ...files,
      ...(directory === undefined ? [] : [{ path: directory.path, stats: statsOf(directory.path) }]),
    ]) {
      const openness = stats && opennessOf(stats);
      const file = files.find((file) => file.path === path) ?? path;
      if (openness !== undefined)
        yield { file, message: openness.message, fix: `${openness.command} ${shellWord(path)}` };
    }
  },
};

export const pluginWritable: Rule = {
  id: 'L030',
  name: 'plugin-writable',
  severity: 'warning',
  summary: 'Others than root can change an executable that runs as root, or put another in its place.',
  *check(context) {
    const known = new Set<string>();
    for (const { plugin, path, found } of executableUses(context)) {
      if (found.kind === 'missing') continue;
      for (const place of [found.path, dirname(found.path)]) {
        const stats = place === found.path ? found.stats : statsOf(place);
        const openness = stats && opennessOf(stats);
        if (openness === undefined || known.has(place)) continue;
        known.add(place);
        const fix = `${openness.command} ${shellWord(place)}`;
        yield { file: plugin.file, path, message: `${place} ${openness.message}`, fix };
      }
    }
  },
};

/** Who but root can write it, and what ends that; undefined when nobody can. */
function opennessOf({ mode, uid, gid }: Stats): { message: string; command: string } | undefined {
  const permissions = (mode & 0o7777).toString(8).padStart(4, '0');
  // Who looks at files of his own knows that he can change them.
  if (uid !== 0 && uid !== process.getuid?.())
    return { message: `belongs to user ${uid}, who can change it`, command: 'chown root:' };
  if ((mode & 0o002) !== 0)
    return { message: `can be changed by everybody (mode ${permissions})`, command: 'chmod go-w' };
  if ((mode & 0o020) !== 0 && gid !== 0)
    return { message: `can be changed by group ${gid} (mode ${permissions})`, command: 'chmod g-w' };
  return undefined;
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
