import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rules } from '../../src/doctor/rules.ts';

const pages = join(import.meta.dir, '..', '..', 'docs', 'rules');

test('every rule has one name, and IDs go up', () => {
  expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  const ids = rules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(ids.toSorted());
});

test('every rule has its page, and every page its rule', () => {
  const names = readdirSync(pages).filter((name) => name.startsWith('D'));
  expect(names.sort()).toEqual(rules.map(({ id }) => `${id}.md`));
  const index = readFileSync(join(pages, 'README.md'), 'utf8');
  for (const { id, name, severity, summary } of rules) {
    const page = readFileSync(join(pages, `${id}.md`), 'utf8');
    expect(page).toStartWith(`# ${id} ${name}\n\n${summary} (${severity})\n`);
    for (const part of ['## How it is found', '## What it means to pods', '## The mend'])
      expect(page).toContain(part);
    expect(index).toContain(`| [${id}](${id}.md) | \`${name}\` | ${severity} | ${summary} |`);
  }
});
