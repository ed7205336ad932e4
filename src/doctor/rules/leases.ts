import type { Lease } from '../../ipam/lease-listing.ts';
import { grouped } from '../grouped.ts';
import { isLeaked } from '../leaked-lease.ts';
import { freeLeases } from '../mends/free-leases.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const leasesWithoutOwner: Rule = {
  id: 'D001',
  name: 'leases-without-owner',
  severity: 'warning',
  summary: 'Addresses are leased to containers that are gone.',
  meaning: 'nobody else gets these addresses; when all are leased so, no pod of the network starts',
  *find(survey) {
    const leaked = survey
      .leases()
      .filter((lease) => survey.isSettled(lease.since) && isLeaked(lease, survey));
    for (const [network, leases] of grouped(leaked, ({ network }) => network))
      yield found(network, leases, survey);
  },
};

function found(network: string, leases: readonly Lease[], survey: Survey): Draft {
  const [first] = leases;
  return {
    object: `network ${network}`,
    cause: `${leases.length} address${leases.length === 1 ? ' is' : 'es are'} leased to containers that are gone`,
    evidence: leases.slice(0, 3).map(({ path, containerID, ifName = '' }) => ({
      source: path,
      text: [containerID, ifName].filter(Boolean).join(' '),
    })),
    ...(first === undefined ? {} : { since: first.since }),
    fix: ['cni-debug doctor --fix', `cni-debug gc ${network}`],
    mend: freeLeases(survey, leases),
  };
}
