import { expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { FaultSite } from './fault-site.ts';
import { doctorFaults, onlyRecorded } from './faults.ts';
import { expectFirst, found } from './found.ts';

test
  .if(requires('root', 'ip', 'nft'))
  .each(doctorFaults.map((fault) => [fault.script, fault.rule, fault] as const))(
  '%s: doctor says %s first, without a journal too',
  async (script, rule, { by, network }) => {
    await using site = await FaultSite.start(network);
    expect(await found(site, by)).toEqual({ status: 0, findings: [] });
    await site.break(`${script}.sh`);
    expectFirst(await found(site, by), rule);
    await site.node.sh('rm -rf /var/log/cni-debug');
    const [first] = (await found(site, by)).findings;
    expect(first?.id).toBe(onlyRecorded.includes(script) ? undefined : rule);
  },
);
