import { ConfigurationValue } from '../cni/configuration-value.ts';
import { CniError } from '../cni/error.ts';
import type { JsonObject } from '../cni/json.ts';
import { type Problem, problemOf } from '../cni/problem.ts';
import type { Version } from '../cni/version.ts';
import { readHostLocal } from './host-local-settings.ts';
import { readRange } from './range.ts';

/**
 * All that host-local would refuse of a configuration: of every range what is wrong with it, then what is wrong with the
 * whole. Throws nothing.
 */
export function hostLocalProblems(document: JsonObject, cniVersion: Version): readonly Problem[] {
  const problems: Problem[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      const problem = problemOf(CniError.from(error), 'ipam');
      if (!problems.some(({ message }) => message === problem.message)) problems.push(problem);
      return undefined;
    }
  };
  const ipam = new ConfigurationValue('', document).key('ipam');
  const sets = attempt(() => ipam.key('ranges').elements()) ?? [];
  const hasSubnet = attempt(() => !ipam.key('subnet').isAbsent) ?? false;
  if (hasSubnet) attempt(() => readRange(ipam, 0));
  for (const [index, set] of sets.entries())
    for (const range of attempt(() => set.elements()) ?? [])
      attempt(() => readRange(range, index + (hasSubnet ? 1 : 0)));
  const configuration = {
    document,
    cniVersion,
    name: '',
    type: '',
    prevResult: undefined,
    runtimeConfig: undefined,
  };
  attempt(() => readHostLocal(configuration, ''));
  return problems;
}
