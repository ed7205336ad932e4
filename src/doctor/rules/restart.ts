import type { Evidence } from '../../findings/finding.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { bootedAt, isBeforeBoot } from '../facts/boot.ts';
import { abandonedCaches } from '../facts/gone-container.ts';
import { damagedLeases } from '../facts/lease-damage.ts';
import type { Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';
import { leakedLeases } from './leases.ts';

/** A file that tells of a container of before. */
interface Remnant {
  readonly path: string;
  readonly since: Date;
  readonly network: string;
}

export const nodeRestarted: Rule = {
  id: 'D013',
  name: 'node-restarted',
  severity: 'warning',
  summary: 'The node was started anew, and files of containers of before are still there.',
  meaning: 'no container of before lives, and nobody did their DEL: their addresses are kept from new pods',
  *find(survey) {
    const leases = survey.each([leakedLeases, damagedLeases], (look) => look(survey)).flat();
    const caches = survey.each([survey], abandonedCaches).flat().map(cachedRemnant);
    const isOld = ({ since }: Remnant) => isBeforeBoot(survey, since);
    const [oldLeases, oldCaches] = [leases.filter(isOld), caches.filter(isOld)];
    const remnants = [...oldLeases, ...oldCaches];
    if (remnants.length === 0) return;
    const booted = bootedAt(survey);
    const networks = [...new Set(remnants.map(({ network }) => network))];
    yield {
      object: 'node',
      cause: `was started at ${booted.toISOString()}, and ${count(oldLeases, 'lease')} and ${count(oldCaches, 'cached attachment')} are from before`,
      evidence: [
        { source: '/proc/stat', text: `btime ${booted.getTime() / 1000}` },
        ...bootOfRecords(survey),
        ...remnants.slice(0, 3).map(({ path, since }) => ({
          source: `ls -l ${shellWord(path)}`,
          text: `written ${since.toISOString()}`,
        })),
      ],
      since: booted,
      fix: ['cni-debug doctor --fix', ...networks.map((network) => `cni-debug gc ${shellWord(network)}`)],
    };
  },
};

function cachedRemnant({ entry }: ReturnType<typeof abandonedCaches>[number]): Remnant {
  return { path: entry.path, since: entry.since, network: entry.attachment.network };
}

/** What the journal says of the boot before this one. */
function bootOfRecords(survey: Survey): Evidence[] {
  const [records] = survey.each([survey], (one) => one.records());
  const last = records?.find(({ startedAt }) => isBeforeBoot(survey, startedAt));
  if (last === undefined) return [];
  return [
    {
      source: `cni-debug logs ${shellWord(last.id)}`,
      text: `boot ${String(last.document.boot)}: ${last.msg}`,
    },
  ];
}

function count(objects: readonly object[], what: string): string {
  return `${objects.length} ${what}${objects.length === 1 ? '' : 's'}`;
}
