import { lookUp } from '../../cni/keys.ts';
import { hasFlag, pathIn } from '../linted-plugin.ts';
import type { Rule } from '../rule.ts';

export const faultsAllowed: Rule = {
  id: 'L033',
  name: 'faults-allowed',
  severity: 'warning',
  summary: 'A configuration allows faults: calls fail on purpose, which only a test of a runtime wants.',
  *check({ plugins }) {
    for (const plugin of plugins) {
      if (plugin.type !== 'debug' || !hasFlag(plugin.value, 'allowFaults')) continue;
      const hasFault = (lookUp(plugin.value, 'fault') ?? null) !== null;
      const now = hasFault
        ? '"fault" makes its calls fail on purpose'
        : 'nothing fails yet, and the first "fault" that is added will make calls fail on purpose';
      yield {
        file: plugin.file,
        path: pathIn(plugin, 'allowFaults'),
        message: `"debug" allows faults: ${now}`,
        fix: 'remove "allowFaults" and "fault", unless this node is there to test a runtime',
      };
    }
  },
};
