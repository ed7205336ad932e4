import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PageData, PageSpan } from '../../../src/cli/page/page-data.ts';
import { programs, run } from '../../program.ts';
import { evilLines, journalLine, PageFolder, shopLines } from './page-journal.ts';

/** The texts between two pieces of a page, all of them. */
function between(page: string, from: string, to: string): string[] {
  return page
    .split(from)
    .slice(1)
    .map((rest) => rest.slice(0, rest.indexOf(to)));
}

function dataOf(page: string): PageData {
  return JSON.parse(between(page, '<script type="application/json" id="data">', '</script>')[0] ?? '');
}

function spansIn({ lives }: PageData): PageSpan[] {
  const all = (span: PageSpan): PageSpan[] => [span, ...(span.children ?? []).flatMap(all)];
  return lives.flatMap(({ operations }) => operations.flatMap(all));
}

const read = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name as 'lt'] ?? "'",
  );

test.each(programs)(
  'made by the %s it has one script and one style, and the policy allows these only',
  async (name) => {
    using pages = new PageFolder([...shopLines, ...evilLines]);
    const file = join(pages.path, 'page.html');
    const argv = name === 'node' ? [['node', join(import.meta.dir, '../../../dist/cni-debug.cjs')]] : [];
    if (argv[0]) {
      const words = ['trace', '--journal', pages.journal, '--html', file, 'all'];
      expect(await run([...argv[0], ...words])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    } else await pages.page('all');
    const page = readFileSync(file, 'utf8');
    const [policy = ''] = between(page, 'Content-Security-Policy" content="', '"');
    const hash = (text = '') => `&#39;sha256-${createHash('sha256').update(text).digest('base64')}&#39;`;
    const scripts = between(page, '<script>', '</script>');
    const styles = between(page, '<style>', '</style>');
    expect([scripts.length, styles.length]).toEqual([1, 1]);
    expect(policy.split('; ')).toEqual([
      'default-src &#39;none&#39;',
      `script-src ${hash(scripts[0])}`,
      `style-src ${hash(styles[0])}`,
      'img-src data:',
      'base-uri &#39;none&#39;',
      'form-action &#39;none&#39;',
    ]);
    expect(scripts[0]).not.toMatch(/<!--|\beval\(|new Function/);
    // Of what a record may say, nothing is an element, an attribute or a comment.
    const rest = page.replace(scripts[0] ?? '', '').replace(styles[0] ?? '', '');
    expect(rest.match(/<script/g)).toHaveLength(2);
    expect(rest).not.toMatch(/<img|<!--|\son\w+="|style="|src="/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(rest.replaceAll('\n', '')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
  },
);

test('holds the records byte for byte, of a call both', async () => {
  const [spaced, deep] = [6, 7].map((second) =>
    journalLine({ id: `c00000000000000${second}`, at: second * 1000 }),
  );
  const odd = [
    `${spaced?.replace('{', '{  "a" : 1e400, ')}`,
    `${deep?.replace('{', `{"b":${'['.repeat(1200)}${']'.repeat(1200)},`)}`,
  ];
  using pages = new PageFolder([...shopLines, 'damaged', ...evilLines, ...odd.map((line) => `${line}\r`)]);
  const page = readFileSync(await pages.page('all'), 'utf8');
  const [records = ''] = between(page, '<pre id="records" tabindex="0">\n', '</pre>');
  const lines = read(records)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.trimEnd());
  expect(lines.sort()).toEqual([...shopLines, ...evilLines, ...odd].sort());
  expect(page).toContain(`${shopLines.length + evilLines.length + 2} records, as the journal has them`);
});

test('without scripts every span is a row of a table, with its time, zone and error', async () => {
  using pages = new PageFolder(shopLines);
  const page = readFileSync(await pages.page(), 'utf8');
  const [table = ''] = between(page, '<noscript>', '</noscript>');
  const spans = spansIn(dataOf(page)).filter(({ kind }) => kind !== 'operation');
  const rows = between(table, '<tr id="row-', '</tr>');
  expect(spans.length).toBeGreaterThan(40);
  expect(rows.map((row) => row.slice(0, row.indexOf('"')))).toEqual(spans.map(({ id }) => id));
  for (const [index, { name, error }] of spans.entries()) {
    expect(read(rows[index] ?? '')).toContain(name);
    if (error !== undefined) expect(read(rows[index] ?? '')).toContain(error);
  }
  expect(table).toContain('Began (+01:00)');
  expect(rows[0]).toContain('<td>13:00:00.000</td><td>0 ms</td><td>44.6 ms *</td>');
  expect(table).toContain('finding: prevResult.interfaces[2].mac');
});

test('opens on the call that failed, on the ADD of a failure that DEL repeats, and on the record that was named', async () => {
  using pages = new PageFolder([
    ...shopLines,
    journalLine({
      ...{ id: 'b000000000000001', at: 9_000, command: 'DEL', error: { code: 999, msg: 'again' } },
      ...{ attachment: JSON.parse(shopLines[0] ?? '').attachment },
    }),
  ]);
  const opensOn = async (...words: string[]) =>
    dataOf(readFileSync(await pages.page(...words), 'utf8')).opensOn;
  expect(await opensOn()).toBe('a000000000000002');
  expect(await opensOn('shop/checkout-7d9f6b')).toBe('a000000000000002');
  expect(await opensOn('a000000000000005')).toBe('a000000000000005');
});

test('what each plugin of the chain changed', async () => {
  using pages = new PageFolder(shopLines);
  const { lives } = dataOf(readFileSync(await pages.page(), 'utf8'));
  const operations = lives[0]?.operations ?? [];
  const outline = operations[3]?.chain.map(({ name, state, inside }) => [
    `${name} ${state}`,
    ...inside.map((one) => [
      one.name,
      ...[...one.result, ...one.changes].map(({ sign, text }) => `${sign} ${text}`),
    ]),
  ]);
  expect(outline).toMatchObject([
    [
      'debug good',
      expect.arrayContaining(['bridge', '+ interface eth0', '+ 10.22.0.6/16', '+ create bridge "br-lab"']),
      ['portmap', '~ set net/ipv4/conf/br-lab/route_localnet to 1'],
    ],
    ['debug good', ['tuning', '~ interface eth0', '+ route 10.96.0.0/12 via 10.22.0.1', '+ dns']],
  ]);
});

test('is written whole, for its owner only, and - is stdout', async () => {
  using pages = new PageFolder(shopLines);
  const file = join(pages.path, 'page.html');
  writeFileSync(file, 'before', { mode: 0o644 });
  await pages.page();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(pages.path).sort()).toEqual(['journal.ndjson', 'page.html']);
  const { stdout, status } = await pages.trace('--html', '-');
  expect(status).toBe(0);
  expect(stdout).toStartWith('<!doctype html>');
  expect(stdout).toEndWith('</html>\n');
  mkdirSync(join(pages.path, 'folder'));
  for (const [path, why] of [
    ['/nowhere/page.html', 'No such file or directory (ENOENT)'],
    [join(pages.path, 'folder'), 'Is a directory (EISDIR)'],
  ] as const) {
    const answer = await pages.trace('--html', path);
    expect(answer).toMatchObject({ status: 3, stdout: '' });
    expect(answer.stderr).toContain('the page could not be written: ');
    expect(answer.stderr).toContain(why);
  }
  expect(existsSync('/nowhere')).toBe(false);
  expect(await pages.trace('--html', file, '--json')).toMatchObject({ status: 2 });
  expect(await pages.trace('--html', file, 'nobody')).toMatchObject({ status: 1 });
});

test('has room for 16 MB of records, the newest ones, and says what is left out', async () => {
  const many = Array.from({ length: 90 }, (_, index) =>
    journalLine({
      ...{ id: index.toString(16).padStart(16, '0'), at: index * 60_000, command: index % 2 ? 'DEL' : 'ADD' },
      ...{ attachment: { containerID: `c${index >> 1}`, ifName: 'eth0' }, stdin: 'x'.repeat(200_000) },
    }),
  );
  using pages = new PageFolder(many);
  const file = join(pages.path, 'page.html');
  const { status, stderr } = await pages.trace('--html', file, 'all');
  expect(status).toBe(0);
  expect(stderr).toBe('cni-debug trace: the page has no room for the 7 oldest operations\n');
  const page = readFileSync(file, 'utf8');
  expect(page).toContain('7 older operations are left out');
  expect(page.length).toBeLessThan(17.5 * 1024 * 1024);
  expect(dataOf(page).lives.at(-1)?.operations).toHaveLength(2);
});
