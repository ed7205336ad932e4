import { executableUses } from '../executable-use.ts';
import type { Rule } from '../rule.ts';
import { shellWord } from '../shell-word.ts';

export const pluginMissing: Rule = {
  id: 'L012',
  name: 'plugin-missing',
  severity: 'error',
  summary: 'There is no executable for a plugin of the chain.',
  *check(context) {
    for (const { plugin, path, type, found } of executableUses(context))
      if (found.kind === 'missing')
        yield {
          file: plugin.file,
          path,
          message: found.complaint,
          fix: `put the executable "${type}" into ${context.machine?.pluginPath.split(':').join(' or ')}, or say with --plugin-dir where it is`,
        };
  },
};

export const pluginNotExecutable: Rule = {
  id: 'L013',
  name: 'plugin-not-executable',
  severity: 'error',
  summary: 'The file of a plugin is there, and its mode does not let anybody execute it.',
  *check(context) {
    for (const { plugin, path, type, found } of executableUses(context))
      if (found.kind === 'not-executable')
        yield {
          file: plugin.file,
          path,
          message: `plugin "${type}" is at ${found.path}, and is not executable`,
          fix: `chmod +x ${shellWord(found.path)}`,
        };
  },
};

export const pluginBroken: Rule = {
  id: 'L014',
  name: 'plugin-broken',
  severity: 'error',
  summary: 'A plugin does not answer VERSION: it crashes, hangs, or prints something else.',
  *check(context) {
    for (const { plugin, path, found } of executableUses(context))
      if (found.kind === 'broken')
        yield {
          file: plugin.file,
          path,
          message: found.complaint,
          fix: `see what it says, and install it again: CNI_COMMAND=VERSION ${shellWord(found.path)} </dev/null`,
        };
  },
};
