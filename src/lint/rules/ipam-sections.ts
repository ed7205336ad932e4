import { lookUp } from '../../cni/keys.ts';
import { hasFlag, ipamTypeOf, isBridge, nameOf, pathIn } from '../linted-plugin.ts';
import { hasNoUseForIpam, needsIpam } from '../plugin-nature.ts';
import type { Rule } from '../rule.ts';

export const ipamNotAllowed: Rule = {
  id: 'L018',
  name: 'ipam-not-allowed',
  severity: 'error',
  summary: 'An "ipam" where the plugin allows none, or has no use for one.',
  *check({ plugins }) {
    for (const plugin of plugins) {
      const { file, value, outer } = plugin;
      const path = pathIn(plugin, 'ipam');
      const found = { file, path, side: 'key' } as const;
      if (lookUp(value, 'ipam') === undefined) continue;
      if (outer?.type === 'flannel')
        yield {
          ...found,
          message: 'a delegate of "flannel" must not have an "ipam": flannel writes it',
          fix: 'move what it says into an "ipam" beside "delegate"',
          covers: [path, pathIn(outer, 'delegate')],
        };
      else if (isBridge(plugin) && hasFlag(value, 'disableContainerInterface') && ipamTypeOf(value) !== '')
        yield {
          ...found,
          message:
            '"disableContainerInterface" leaves the interface down, and "ipam" would give it addresses',
          fix: 'remove one of the two',
          covers: [pathIn(plugin, 'disableContainerInterface')],
        };
      else if (hasNoUseForIpam(plugin))
        yield {
          ...found,
          message: `${nameOf(plugin)} makes no interface, and has no use for an "ipam"`,
          fix: 'remove it, or move it to the plugin that makes the interface',
        };
    }
  },
};

export const ipamMissing: Rule = {
  id: 'L019',
  name: 'ipam-missing',
  severity: 'error',
  summary: 'A plugin that cannot do without addresses has no "ipam".',
  *check({ plugins }) {
    for (const plugin of plugins)
      if (needsIpam(plugin) && ipamTypeOf(plugin.value) === '')
        yield {
          file: plugin.file,
          path: pathIn(plugin, 'type'),
          message: `${nameOf(plugin)} needs addresses, and has no "ipam" with a "type"`,
          fix: 'add "ipam": { "type": "host-local", "ranges": [[{ "subnet": "…" }]] }',
        };
  },
};
