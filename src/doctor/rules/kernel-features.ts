import { type MissingFeature, missingFeatures } from '../facts/kernel-features.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';

export const kernelFeatureMissing: Rule = {
  id: 'D032',
  name: 'kernel-feature-missing',
  severity: 'error',
  summary: 'The kernel cannot do what a configured plugin needs.',
  meaning: 'every ADD of the network fails at that plugin',
  *find(survey) {
    for (const same of grouped(missingFeatures(survey), ({ feature }) => feature).values()) yield found(same);
  },
};

function found(same: readonly MissingFeature[]): Draft {
  const [{ feature, answer, modules }] = same as [MissingFeature];
  const users = [...new Set(same.map(({ plugin, network }) => `"${plugin}" of network ${network}`))];
  return {
    object: 'node',
    cause: `its kernel has no ${feature}, which ${users.join(', ')} ${users.length === 1 ? 'needs' : 'need'}`,
    evidence: [
      { source: 'tried in a network namespace of its own', text: answer },
      ...same.map(({ path, plugin }) => ({ source: path, text: `"type": "${plugin}"` })),
    ],
    fix: [
      `modprobe --all ${modules.join(' ')}`,
      'if there is no such module: install those of the kernel that runs (uname -r), or start the node with the kernel that is installed',
    ],
  };
}
