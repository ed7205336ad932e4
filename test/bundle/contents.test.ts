import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { archiveOf } from '../../src/bundle/archive.ts';
import { Contents } from '../../src/bundle/contents.ts';
import { type JsonObject, parseJson } from '../../src/cni/json.ts';
import { KnownSecrets } from '../../src/trace/known-secrets.ts';
import { redactor } from '../../src/trace/redaction.ts';

const json = (value: object) => parseJson(JSON.stringify(value)) as JsonObject;

function contents(learnt: object = {}): Contents {
  const secrets = new KnownSecrets();
  secrets.learn(json(learnt), redactor());
  return new Contents(redactor(), secrets);
}

test('where something was redacted is said by its path', async () => {
  const { files } = await filled(contents());
  expect(files.map(({ name, redacted }) => [name, redacted])).toEqual([
    ['a.json', ['plugins[1].token']],
    ['b.ndjson', ['token', 'list[0].password']],
    ['c.txt', ['2 places']],
    ['d.json', []],
  ]);
});

async function filled(into: Contents): Promise<Contents> {
  await into.json('a.json', () => json({ plugins: [{ type: 'x' }, { token: 'abcdefgh' }] }));
  await into.lines('b.ndjson', () => [
    json({ token: 'x1' }),
    json({ token: 'x2', list: [{ password: 'y' }] }),
  ]);
  await into.text('c.txt', () => '{ "token": "one", broken\npassword=two\n');
  await into.json('d.json', () => json({ type: 'x' }));
  return into;
}

test('a secret that was met once is known everywhere, also inside of strings, and short words are not', async () => {
  const learnt = {
    token: 'say "please"',
    key: ['abc'],
    url: 'https://me:hunter22@host/',
    password: 12345678,
  };
  const into = contents(learnt);
  await into.json('a.json', () => json({ msg: 'he had to say "please", abc', more: 'hunter22 12345678' }));
  into.leaveOut('b.json', 'no hunter22');
  expect(JSON.parse(into.files[0]!.text)).toEqual({
    msg: 'he had to [redacted], abc',
    more: '[redacted] [redacted]',
  });
  expect(into.missing).toEqual([{ name: 'b.json', reason: 'no [redacted]' }]);
});

test('what cannot be read is missing, and keeps nothing else out', async () => {
  const into = contents();
  const fail = () => {
    throw new Error('token=abcdefgh is gone');
  };
  await into.json('a.json', fail);
  await into.text('b.txt', fail);
  await into.json('c.json', async () => json({}));
  expect(into.missing.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
    'a.json: token=[redacted] is gone',
    'b.txt: token=[redacted] is gone',
  ]);
  expect(into.files.map(({ name }) => name)).toEqual(['c.json']);
});

test('an archive keeps bytes, and names that are long or in no Latin letters', async () => {
  const name = `${'n'.repeat(90)}/${'größe'.repeat(30)}.json`;
  const archive = await archiveOf([{ name, text: 'größer\n' }], new Date(0));
  const unpack = (...argv: string[]) => {
    const { stdout, stderr } = spawnSync('tar', argv, {
      input: archive,
      env: { LC_ALL: 'C.UTF-8', PATH: process.env.PATH },
    });
    return `${stderr}${stdout}`;
  };
  expect(unpack('xzO')).toBe('größer\n');
  expect(unpack('tz', '--quoting-style=literal')).toBe(`cni-debug-bundle/${name}\n`);
});
