import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rules } from '../../src/lint/rules.ts';
import { ruleCases } from './rule-cases.ts';
import { look, placeText } from './site.ts';

const pages = join(import.meta.dir, '..', '..', 'docs', 'rules');

test.each(rules.map((rule) => [rule.id, rule.name, rule] as const))(
  '%s %s',
  async (id, name, { severity }) => {
    const { bad, sound, also = [], fix } = ruleCases[id]!;
    const { findings, marks } = await look(bad);
    const own = findings.filter((finding) => finding.id === id);
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({ rule: name, severity, page: `docs/rules/${id}.md` });
    expect(own[0]!.fix).toContain(fix);
    if (marks.length > 0) expect(own.map(placeText)).toEqual([...marks]);
    const others = findings.filter((finding) => finding.id !== id && finding.severity !== 'info');
    expect(others.map((finding) => finding.id)).toEqual([...also]);
    const mended = await look(sound);
    expect(mended.findings.filter((finding) => finding.id === id || finding.severity !== 'info')).toEqual([]);
  },
);

test('every rule has one case, one name and an ID in its turn', () => {
  expect(Object.keys(ruleCases).sort()).toEqual(rules.map(({ id }) => id).sort());
  expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  rules.forEach(({ id }, index) => {
    expect(id as string).toBe(`L${String(index + 1).padStart(3, '0')}`);
  });
});

test('every rule has its page, and every page its rule', () => {
  const names = readdirSync(pages).filter((name) => name.startsWith('L'));
  expect(names.sort()).toEqual(rules.map(({ id }) => `${id}.md`).sort());
  const index = readFileSync(join(pages, 'README.md'), 'utf8');
  for (const { id, name, severity, summary } of rules) {
    const page = pageOf(id);
    expect(page).toStartWith(`# ${id} ${name}\n\n${summary} (${severity})\n`);
    for (const part of ['## Example', '## What it means to pods', '## The mend'])
      expect(page).toContain(part);
    expect(index).toContain(`[${id}](${id}.md)`);
    expect(index).toContain(summary);
  }
});

const withExamples = rules.flatMap(({ id }) => {
  const [, text] = /```json\n(.*?)```/s.exec(pageOf(id)) ?? [];
  return text === undefined ? [] : [[id as string, text] as const];
});

test.each(withExamples)('the example of %s is found', async (id, text) => {
  const { findings } = await look({ files: { '10-net.conflist': text } });
  expect(findings.map((finding) => finding.id)).toContain(id);
});

test('most pages have an example that can be tried', () => {
  expect(withExamples.length).toBeGreaterThan(15);
});

function pageOf(id: string): string {
  return readFileSync(join(pages, `${id}.md`), 'utf8');
}
