import { lintOf } from '../facts/lint-result.ts';
import { ofFiles, ofPlugins } from '../facts/linted.ts';
import type { Rule } from '../rule.ts';

export const pluginMissing: Rule = {
  id: 'D014',
  name: 'plugin-missing',
  severity: 'error',
  summary: 'There is no executable for a plugin of a network.',
  meaning: 'ADD fails for every pod of the network, and DEL, too: pods neither start nor end',
  find: async (survey) => ofPlugins(await lintOf(survey), ['L012'], survey),
};

export const pluginNotExecutable: Rule = {
  id: 'D015',
  name: 'plugin-not-executable',
  severity: 'error',
  summary: 'The file of a plugin is there and cannot be executed, or does not answer VERSION.',
  meaning: 'ADD fails for every pod of the network, and DEL, too: pods neither start nor end',
  find: async (survey) => ofPlugins(await lintOf(survey), ['L013', 'L014'], survey),
};

export const versionUnsupported: Rule = {
  id: 'D016',
  name: 'version-unsupported',
  severity: 'error',
  summary:
    'A network has a version of the specification that one of its plugins does not know, or nobody does.',
  meaning: 'that plugin refuses every call: no pod of the network starts',
  async find(survey) {
    const result = await lintOf(survey);
    return [...ofPlugins(result, ['L015'], survey), ...ofFiles(result, ({ id }) => id === 'L010', survey)];
  },
};
