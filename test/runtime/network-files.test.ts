import { afterEach, beforeEach, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findNetwork, networkFiles, readNetworkFile } from '../../src/runtime/network-files.ts';
import { scratchFolder } from '../kernel/scratch.ts';

let scratch: ReturnType<typeof scratchFolder>;
let folder: string;

beforeEach(() => {
  scratch = scratchFolder();
  folder = `${scratch.path}/net.d`;
  mkdirSync(folder);
});
afterEach(() => scratch.remove());

function put(name: string, content: object | string): string {
  const path = `${folder}/${name}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const list = (name: string, keys: object = { plugins: [{ type: 'bridge' }] }) => ({
  ...{ cniVersion: '1.0.0', name },
  ...keys,
});

function error(run: () => unknown): { code?: unknown; message: string; details?: unknown } {
  try {
    run();
  } catch (thrown) {
    return thrown as Error;
  }
  throw new Error('no error');
}

test('lists come first, each kind by the names of their files', () => {
  put('20-b.conf', { name: 'b', type: 'bridge' });
  put('10-c.json', { name: 'c', type: 'bridge' });
  put('90-a.conflist', list('a'));
  put('15-d.conflist', list('d'));
  put('00-old.conflist.bak', list('old'));
  put('README', 'no network');
  mkdirSync(`${folder}/11-folder.conflist`);
  const { networks, refused } = networkFiles(folder);
  expect(networks.map(({ list: { name }, path }) => [name, path.slice(folder.length + 1)])).toEqual([
    ['d', '15-d.conflist'],
    ['a', '90-a.conflist'],
    ['c', '10-c.json'],
    ['b', '20-b.conf'],
  ]);
  expect(refused).toEqual([]);
});

test('a file that cannot be used keeps nobody from finding another, and is named', () => {
  const damaged = put('10-damaged.conflist', '{"name":');
  put('20-good.conflist', list('good'));
  const { networks, refused } = networkFiles(folder);
  expect(networks.map(({ list: { name } }) => name)).toEqual(['good']);
  expect(refused.map(({ path }) => path)).toEqual([damaged]);
  expect(findNetwork('good', folder).path).toBe(`${folder}/20-good.conflist`);
  const { code, message, details } = error(() => findNetwork('other', folder));
  expect(code).toBe(7);
  expect(message).toBe(`no network "other" in ${folder}; there are: "good" (${folder}/20-good.conflist)`);
  expect(details).toStartWith(`${damaged} could not be read: the network configuration is not JSON`);
});

test('of two networks of one name the first is meant', () => {
  put('20-net.conf', { name: 'net', type: 'bridge' });
  put('30-net.conflist', list('net'));
  put('31-net.conflist', list('net'));
  expect(findNetwork('net', folder).path).toBe(`${folder}/30-net.conflist`);
});

test('where there is no folder there is no network; where it is none, that is said', () => {
  expect(networkFiles(`${folder}/none`)).toEqual({ networks: [], refused: [] });
  expect(error(() => findNetwork('net', `${folder}/none`)).message).toBe(
    `no network "net" in ${folder}/none; there is none at all`,
  );
  const file = put('file', '');
  expect(error(() => networkFiles(file)).message).toBe(`open "${file}": Not a directory (ENOTDIR)`);
});

test('a path is a file, whatever the folder has', () => {
  put('10-net.conflist', list('net'));
  const path = put('elsewhere/mine', list('net'));
  expect(findNetwork(path, folder).path).toBe(path);
  const missing = error(() => findNetwork('net.conflist', folder));
  expect(missing).toMatchObject({ code: 5 });
  expect(missing.message).toStartWith('net.conflist: ENOENT');
});

test('plugins of the folder follow those of the list, in the order of their names', () => {
  const path = put('10-net.conflist', list('net'));
  put('net/20-second.conf', { type: 'tuning' });
  put('net/10-first.conf', { type: 'portmap', capabilities: { portMappings: true } });
  put('net/30-not.conflist', list('not'));
  const network = readNetworkFile(path).list;
  expect(network.plugins.map(({ type }) => type)).toEqual(['bridge', 'portmap', 'tuning']);
  // By itself, it is the whole network: what is cached is.
  expect(network.document).toMatchObject({ loadOnlyInlinedPlugins: true, plugins: network.plugins });
  put('10-net.conflist', list('net', { plugins: [{ type: 'bridge' }], loadOnlyInlinedPlugins: true }));
  expect(readNetworkFile(path).list.plugins).toHaveLength(1);
});

test('a list without plugins has those of the folder, and needs one', () => {
  const path = put('10-net.conflist', list('net', {}));
  expect(error(() => readNetworkFile(path)).message).toBe(
    `network "net" (${path}) has no plugins, and there are none in ${folder}/net`,
  );
  put('net/10-first.conf', { type: 'portmap' });
  expect(readNetworkFile(path).list.plugins.map(({ type }) => type)).toEqual(['portmap']);
});

test('a plugin alone is a network, without a name that of its type, and has no folder', () => {
  put('loopback/10-more.conf', { type: 'portmap' });
  const path = put('99-loopback.conf', { cniVersion: '0.3.1', type: 'loopback' });
  const { name, plugins, cniVersion } = readNetworkFile(path).list;
  expect([name, plugins.length, cniVersion]).toEqual(['loopback', 1, '0.3.1']);
  expect(findNetwork('loopback', folder).path).toBe(path);
});

test('what is no file is not waited for', () => {
  spawnSync('mkfifo', [`${folder}/10-pipe.conflist`]);
  symlinkSync(`${scratch.path}/nowhere`, `${folder}/20-link.conf`);
  const { networks, refused } = networkFiles(folder);
  expect(networks).toEqual([]);
  expect(refused.map(({ path, reason: { code, message } }) => [code, message.replace(path, '')])).toEqual([
    [5, ': is no regular file'],
    [5, expect.stringContaining(': ENOENT')],
  ]);
});

test('a link is as good as what it leads to', () => {
  const path = put('elsewhere/net', list('linked'));
  symlinkSync(path, `${folder}/10-link.conflist`);
  chmodSync(path, 0o400);
  expect(findNetwork('linked', folder).path).toBe(`${folder}/10-link.conflist`);
});
