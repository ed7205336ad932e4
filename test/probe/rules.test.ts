import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { finding, ruleIds } from '../../src/probe/rules.ts';

const pages = join(import.meta.dir, '../../docs/rules');
const draft = { object: 'this', cause: 'that', evidence: [], meaning: 'so', fix: [] };

test.each([...ruleIds])('%s has its page, and its row among the others', (id) => {
  const { rule, severity } = finding(id, draft);
  const page = readFileSync(join(pages, `${id}.md`), 'utf8');
  expect(page.split('\n')[0]).toBe(`# ${id} ${rule}`);
  expect(page).toContain(`(${severity})`);
  for (const heading of ['How it is found', 'What it means to pods', 'The mend'])
    expect(page).toContain(`## ${heading}\n`);
  const table = readFileSync(join(pages, 'README.md'), 'utf8');
  expect(table).toContain(`| [${id}](${id}.md) | \`${rule}\` | ${severity} | `);
});
