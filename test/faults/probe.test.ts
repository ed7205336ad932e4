import { expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { FaultSite } from './fault-site.ts';
import { probeFaults } from './faults.ts';
import { expectFirst, found } from './found.ts';

test
  .if(requires('root', 'ip', 'nft'))
  .each(probeFaults.map((fault) => [fault.script, fault.rule, fault] as const))(
  '%s: probe says %s first',
  async (script, rule, { by, network }) => {
    await using site = await FaultSite.start(network);
    expect(await found(site, by)).toEqual({ status: 0, findings: [] });
    await site.break(`${script}.sh`);
    expectFirst(await found(site, by), rule);
  },
);
