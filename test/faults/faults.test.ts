import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../requirements.ts';
import { FaultSite } from './fault-site.ts';
import { doctor, faults, onlyRecorded } from './faults.ts';

// biome-ignore lint/suspicious/noExplicitAny: findings are read as JSON.
type Json = any;

/** What a command line finds, a root cause each, in the order in which it says them. */
async function found(site: FaultSite, by: string): Promise<{ status: number | null; findings: Json[] }> {
  const { status, stdout, stderr } = await site.type([...by.split(' '), '--format', 'json']);
  if (stdout === '') throw new Error(`${by}: status ${status}: ${stderr}`);
  return { status, findings: JSON.parse(stdout).findings };
}

test
  .if(requires('root', 'ip', 'nft'))
  .each(faults.map((fault) => [fault.script, fault.by, fault.rule, fault] as const))(
  '%s: %s says %s first',
  async (script, by, rule, { network }) => {
    await using site = await FaultSite.start(network);
    expect(await found(site, by)).toEqual({ status: 0, findings: [] });
    await site.break(`${script}.sh`);
    const { status, findings } = await found(site, by);
    expect(findings[0]).toMatchObject({ id: rule, page: `docs/rules/${rule}.md` });
    expect(findings[0].evidence).not.toEqual([]);
    expect(status).toBe(findings[0].severity === 'info' ? 0 : 1);
    if (by !== doctor) return;
    await site.node.sh('rm -rf /var/log/cni-debug');
    const [first] = (await found(site, by)).findings;
    expect(first?.id).toBe(onlyRecorded.includes(script) ? undefined : rule);
  },
);

test('every script has its fault, and there are 30 of them', () => {
  const scripts = readdirSync(join(import.meta.dir, 'scripts')).map((name) => name.replace(/\.sh$/, ''));
  expect(new Set(faults.map(({ script }) => script))).toEqual(new Set(scripts));
  expect(scripts.length).toBeGreaterThanOrEqual(30);
});
