import { afterEach, beforeEach, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import fc from 'fast-check';
import { isObject, newObject, parseJson, stringifyJson } from '../../src/cni/json.ts';
import { type CachedAttachment, ResultCache } from '../../src/runtime/result-cache.ts';
import { scratchFolder } from '../kernel/scratch.ts';

let scratch: ReturnType<typeof scratchFolder>;
let results: string;
let cache: ResultCache;

beforeEach(() => {
  scratch = scratchFolder();
  results = `${scratch.path}/cni/results`;
  cache = new ResultCache(`${scratch.path}/cni`);
});
afterEach(() => scratch.remove());

const key = { network: 'lab', containerID: 'default-one', ifName: 'eth0' };

function attachment(keys: Partial<CachedAttachment> = {}): CachedAttachment {
  const rest = { netns: '', args: '', capabilityArgs: newObject(), config: '{}', result: undefined };
  return { ...key, ...rest, ...keys };
}

function put(name: string, text: string): string {
  mkdirSync(results, { recursive: true });
  writeFileSync(`${results}/${name}`, text);
  return `${results}/${name}`;
}

function object(text: string) {
  const document = parseJson(text);
  if (!isObject(document)) throw new Error(text);
  return document;
}

/** As libcni 1.1 in containerd 1.6.20 wrote it: no netns, and the keys of the result in alphabetical order. */
const byCtr = `{"kind":"cniCacheV1","containerId":"default-one","config":"${btoa('{"name":"lab"}')}","ifName":"eth0","networkName":"lab","result":{"cniVersion":"1.0.0","dns":{},"interfaces":[{"mac":"4e:ce:3d:78:0d:9e","name":"cni0"},{"mac":"9a:1b:74:de:c6:fc","name":"vethb4356d5c744"},{"mac":"ee:3f:dc:20:0f:45","name":"eth0","sandbox":"/proc/100/ns/net"}],"ips":[{"address":"10.50.0.2/16","gateway":"10.50.0.1","interface":2}],"routes":[{"dst":"0.0.0.0/0","gw":"10.50.0.1"}]}}`;

test('what containerd has written: the sandbox says the namespace', () => {
  put('lab-default-one-eth0', byCtr);
  const { result, ...found } = cache.read(key) ?? attachment();
  const { result: _, ...expected } = attachment({ netns: '/proc/100/ns/net', config: '{"name":"lab"}' });
  expect(found).toEqual(expected);
  expect(stringifyJson(result ?? null)).toBe(stringifyJson(object(byCtr).result ?? null));
  // Written by us it is the same, and says it.
  cache.write(attachment({ ...found, result }));
  const ours = readFileSync(`${results}/lab-default-one-eth0`, 'utf8');
  expect(ours).toBe(byCtr.replace('"result"', '"netns":"/proc/100/ns/net","result"'));
});

test('a sandbox that is no path says no namespace', () => {
  put('lab-default-one-eth0', byCtr.replace('/proc/100/ns/net', 'vm:17'));
  expect(cache.read(key)?.netns).toBe('');
});

test('all that libcni knows, under its name, for root alone', () => {
  const capabilityArgs = object('{"portMappings":[{"hostPort":8080}],"n":1.0}');
  const result = object('{"cniVersion":"1.0.0","ips":[],"x":9007199254740993}');
  cache.write(attachment({ netns: '/run/netns/a', args: 'K=V;IgnoreUnknown=1', capabilityArgs, result }));
  expect(readFileSync(`${results}/lab-default-one-eth0`, 'utf8')).toBe(
    `{"kind":"cniCacheV1","containerId":"default-one","config":"e30=","ifName":"eth0","networkName":"lab","netns":"/run/netns/a","cniArgs":[["K","V"],["IgnoreUnknown","1"]],"capabilityArgs":{"portMappings":[{"hostPort":8080}],"n":1.0},"result":{"cniVersion":"1.0.0","ips":[],"x":9007199254740993}}`,
  );
  const modes = [results, `${results}/lab-default-one-eth0`].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o600]);
  expect(readdirSync(`${scratch.path}/cni`)).toEqual(['results']);
});

test('whatever is written is read again', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,20}$/);
  const part = fc.stringMatching(/^[a-zA-Z0-9_./-]{1,9}$/);
  const args = fc.uniqueArray(part, { maxLength: 3 }).map((keys) => keys.map((one) => `${one}=v`).join(';'));
  const json = fc.jsonValue().map((value) => object(JSON.stringify({ a: value })));
  const any = fc.record({
    ...{ network: name, containerID: name, ifName: fc.stringMatching(/^[a-z0-9]{1,15}$/) },
    ...{
      netns: fc.constantFrom('', '/run/netns/x'),
      args,
      capabilityArgs: json,
      config: fc.string({ unit: 'grapheme' }),
    },
    result: fc.option(json, { nil: undefined }),
  });
  fc.assert(
    fc.property(any, (one) => {
      cache.write(one);
      expect(cache.read(one)).toEqual(one);
      cache.remove(one);
      expect(cache.read(one)).toBeUndefined();
    }),
  );
});

test('nothing is cached where there is no file, or no folder', () => {
  expect(cache.read(key)).toBeUndefined();
  expect(cache.list()).toEqual({ entries: [], refused: [] });
  cache.remove(key);
  mkdirSync(results, { recursive: true });
  expect(cache.read(key)).toBeUndefined();
  cache.remove(key);
});

test('the bare result of old times, for whoever knows whose it is', () => {
  const path = put('lab-default-one-eth0', '{"cniVersion":"0.3.1","ips":[]}');
  expect(cache.read(key)).toEqual(
    attachment({ config: '', result: object('{"cniVersion":"0.3.1","ips":[]}') }),
  );
  expect(cache.list().refused).toEqual([
    { path, reason: `${path} is damaged: it has no "kind" where "cniCacheV1" belongs` },
  ]);
});

test('what makes no sense is named, goes away, and can be written over', () => {
  for (const [text, reason] of [
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    [byCtr.slice(0, 300), 'unexpected the end of the input at line 1, column 301'],
    ['[]', 'it is no JSON object'],
    ['{"kind":"cniCacheV2"}', 'it has the kind "cniCacheV2" where "cniCacheV1" belongs'],
    ['{"kind":"cniCacheV1"}', 'one of "networkName", "containerId" and "ifName" is missing'],
  ] as const) {
    const path = put('lab-default-one-eth0', text);
    expect(() => cache.read(key)).toThrow(`${path} is damaged: ${reason}`);
    expect(cache.list()).toEqual({
      entries: [],
      refused: [{ path, reason: `${path} is damaged: ${reason}` }],
    });
    cache.write(attachment());
    expect(cache.read(key)).toEqual(attachment());
    put('lab-default-one-eth0', text);
    cache.remove(key);
    expect(readdirSync(results)).toEqual([]);
  }
});

test("two attachments that make the same name keep their hands off each other's file", () => {
  const other = attachment({ network: 'lab-default', containerID: 'one', netns: '/run/netns/other' });
  expect(cache.pathOf(other)).toBe(cache.pathOf(key));
  cache.write(other);
  const whose =
    'is of another attachment with the same name: "eth0" of container "one" in network "lab-default"';
  expect(() => cache.read(key)).toThrow(`${results}/lab-default-one-eth0 ${whose}`);
  expect(() => cache.write(attachment())).toThrow(whose);
  cache.remove(key);
  expect(cache.read(other)).toEqual(other);
  cache.remove(other);
  cache.write(attachment());
  expect(cache.read(key)).toEqual(attachment());
});

test('the list is that of all networks, oldest first', () => {
  for (const [index, containerID] of ['c', 'a', 'b'].entries()) {
    cache.write(attachment({ containerID }));
    utimesSync(`${results}/lab-${containerID}-eth0`, 1e9 + index, 1e9 + index);
  }
  const { entries, refused } = cache.list();
  expect(entries.map(({ attachment: { containerID }, since }) => [containerID, since.getTime()])).toEqual([
    ['c', 1e12],
    ['a', 1e12 + 1000],
    ['b', 1e12 + 2000],
  ]);
  expect(refused).toEqual([]);
});

test('what is no file is not waited for', () => {
  mkdirSync(`${results}/folder`, { recursive: true });
  spawnSync('mkfifo', [`${results}/lab-default-one-eth0`]);
  symlinkSync(`${scratch.path}/nowhere`, `${results}/link`);
  const { entries, refused } = cache.list();
  expect(entries).toEqual([]);
  expect(refused.map(({ reason }) => reason).sort()).toEqual([
    `${results}/lab-default-one-eth0 is no regular file`,
    `read "${results}/folder": Is a directory (EISDIR)`,
  ]);
  expect(() => cache.read(key)).toThrow('is no regular file');
});

test('what one that was killed has left of a file is in nobody’s way', () => {
  mkdirSync(`${scratch.path}/cni`);
  writeFileSync(`${scratch.path}/cni/.lab-default-one-eth0.new`, '{"kind":"cniC');
  expect(cache.list()).toEqual({ entries: [], refused: [] });
  cache.write(attachment());
  expect(readdirSync(`${scratch.path}/cni`)).toEqual(['results']);
});

test('what cannot be written leaves what was there', () => {
  cache.write(attachment({ netns: '/run/netns/before' }));
  mkdirSync(`${scratch.path}/cni/.lab-default-one-eth0.new`);
  expect(() => cache.write(attachment())).toThrow('.lab-default-one-eth0.new');
  expect(cache.read(key)?.netns).toBe('/run/netns/before');
});
