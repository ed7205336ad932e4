import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../requirements.ts';
import { FaultSite } from './fault-site.ts';
import { doctorFaults, drawnFaults, probeFaults } from './faults.ts';

test
  .if(requires('root', 'ip', 'nft'))
  .each(drawnFaults.map(({ script, by, mark }) => [script, by, mark] as const))(
  '%s: %s marks it',
  async (script, by, mark) => {
    await using site = await FaultSite.start();
    expect((await site.type(by)).stdout).not.toMatch(mark);
    await site.break(`${script}.sh`);
    expect((await site.type(by)).stdout).toMatch(mark);
  },
);

test('every script has its fault, and there are 30 of them', () => {
  const scripts = readdirSync(join(import.meta.dir, 'scripts')).map((name) => name.replace(/\.sh$/, ''));
  const used = [...doctorFaults, ...probeFaults, ...drawnFaults].map(({ script }) => script);
  expect(new Set(used)).toEqual(new Set(scripts));
  expect(scripts.length).toBeGreaterThanOrEqual(30);
});
