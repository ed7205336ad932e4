import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { isLoaded } from '../../src/lint/loaded-name.ts';
import { brokenLink, sized, texts } from './rule-cases.ts';
import { look } from './site.ts';

const { list, named, loopback, bridge } = texts;

type Files = Parameters<typeof look>[0]['files'];

async function found(files: Files) {
  const { findings } = await look({ files });
  return findings.map(({ id, file }) => `${id} ${file}`);
}

/** What is said of the file that is picked. */
async function picked(files: Files) {
  const { findings } = await look({ files });
  return findings.filter(({ id }) => id === 'L026').map(({ file, message }) => `${file}: ${message}`);
}

describe('a runtime loads', () => {
  test.each(['a.conf', 'a.conflist', 'a.json', '.conf', '.#a.conflist'])('%s', (name) => {
    expect(isLoaded(name)).toBe(true);
  });

  test.each(['a.conf~', 'a.conflist.bak', 'conf', 'a.CONF', 'a.conf.swp', 'README.md'])(
    'but not %s',
    (name) => {
      expect(isLoaded(name)).toBe(false);
    },
  );
});

describe('the file that is picked', () => {
  test('is the first by name, whatever its extension', async () => {
    const files = {
      '20-b.conf': `{ "cniVersion": "1.0.0", "name": "b", "type": "loopback" }`,
      '10-a.json': `{ "cniVersion": "1.0.0", "name": "a", "type": "loopback" }`,
      '30-c.conflist': named('c', loopback),
    };
    const [said = '', ...more] = await picked(files);
    expect(more).toEqual([]);
    expect(said).toStartWith(
      '10-a.json: containerd and CRI-O pick this file, the first by name; they ignore 20-b.conf, 30-c.conflist;',
    );
  });

  test('is the first that can be loaded; containerd gives up before it', async () => {
    const [said = ''] = await picked({ '10-a.conflist': '{', '20-b.conflist': named('b', loopback) });
    expect(said).toStartWith('20-b.conflist: ');
    expect(said).toContain('containerd gives up at 10-a.conflist');
  });

  test('is the only one, which need not be said', async () => {
    expect(await picked({ '10-a.conflist': list(loopback) })).toEqual([]);
  });
});

describe('names', () => {
  test.each([
    ['10-net.conflist~', ['L028 10-net.conflist~', 'L032 .']],
    ['10-net.conflist.bak', ['L028 10-net.conflist.bak', 'L032 .']],
    ['.10-net.conflist', ['L027 .10-net.conflist']],
    ['10-net-old.conflist', ['L027 10-net-old.conflist']],
    ['10-net.orig.json', ['L027 10-net.orig.json', 'L004 10-net.orig.json', 'L032 .']],
    ['10-golden.conflist', []],
    ['notes.txt', ['L032 .']],
  ])('%s', async (name, expected) => {
    expect((await found({ [name]: list(loopback) })).sort()).toEqual([...expected].sort());
  });
});

describe('a list without plugins of its own', () => {
  const bare = '{ "cniVersion": "1.0.0", "name": "net" }';

  test('has them in the folder of its name', async () => {
    expect(await found({ '10-net.conflist': bare, 'net/10-lo.conf': loopback })).toEqual([]);
  });

  test('or none', async () => {
    expect((await found({ '10-net.conflist': bare })).sort()).toEqual(['L005 10-net.conflist', 'L032 .']);
  });
});

test('what is wrong with one file hides nothing of the others', async () => {
  const files = {
    '10-a.conflist': '{',
    '20-b.conflist': named('b', bridge('"mtu": "x"')),
    '30-c.conflist': named('c', '{}'),
  };
  expect(await found(files)).toEqual([
    'L001 10-a.conflist',
    'L026 20-b.conflist',
    'L008 20-b.conflist',
    'L005 30-c.conflist',
  ]);
});

describe('nonsense is called so, and nothing waits or throws', () => {
  const [bytes, nested] = [
    Buffer.alloc(5000, 0xff).toString('latin1'),
    `{"type":"debug","name":"y","delegate":`,
  ];

  test.each<[string, Files[string], string[]]>([
    ['bytes', bytes, ['L001']],
    ['nothing', '', ['L001']],
    ['a number', '5', ['L001']],
    ['a named pipe', (path) => spawnSync('mkfifo', [path]), ['L003']],
    ['5 MB of brackets', sized(5_000_000), ['L003']],
    ['half a MB of brackets', sized(500_000), ['L001']],
    [
      'lists in lists',
      `{"type":"x","name":"y","cniVersion":"1.0.0","a":${'['.repeat(900)}${']'.repeat(900)}}`,
      [],
    ],
    ['delegates in delegates', `${nested.repeat(400)}{}${'}'.repeat(400)}`, ['L005']],
    ['200000 items', `{"type":"x","name":"y","cniVersion":"1.0.0","a":[${'0,'.repeat(200_000)}0]}`, []],
    [
      'keys that every object has',
      '{"cniVersion":"1.0.0","name":"p","__proto__":1,"type":"constructor","ipam":{"type":"toString"}}',
      [],
    ],
    [
      'values of every wrong type',
      '{"cniVersion":[],"name":{},"type":5,"capabilities":[],"ipam":1,"plugins":{"a":1}}',
      ['L008', 'L008', 'L006', 'L006', 'L006', 'L008'],
    ],
  ])('%s', async (_, file, ids) => {
    const { findings } = await look({ files: { '10-x.conf': file }, single: '10-x.conf' });
    expect(findings.filter(({ severity }) => severity !== 'info').map(({ id }) => id)).toEqual(ids);
  });

  test('a broken link', async () => {
    const files = { '10-x.conf': brokenLink, '20-a.conflist': list(loopback) };
    expect(await found(files)).toEqual(['L003 10-x.conf', 'L026 20-a.conflist']);
  });

  test('a directory by the name of a file', async () => {
    const files = { '10-x.conf': (path: string) => mkdirSync(path), '20-a.conflist': list(loopback) };
    expect(await found(files)).toEqual(['L028 10-x.conf']);
  });

  test('of very many findings of one kind the first are told, and how many more there are', async () => {
    const keys = Array.from({ length: 1000 }, (_, index) => `"k${index}": 1`).join(', ');
    const { findings } = await look({ files: { '10-net.conflist': list(bridge(keys)) } });
    expect(findings).toHaveLength(21);
    expect(findings.at(-1)!.message).toBe(
      'and 980 more of this kind in this file, of which this is the first',
    );
  });
});
