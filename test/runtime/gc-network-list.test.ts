import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { parseConflist } from '../../src/cni/conflist.ts';
import { CniError } from '../../src/cni/error.ts';
import { gcNetworkList } from '../../src/runtime/gc-network-list.ts';
import { addNetworkList, getStatusNetworkList } from '../../src/runtime/network-list.ts';
import { ResultCache } from '../../src/runtime/result-cache.ts';
import { PluginFolder } from './plugin-folder.ts';

let folder: PluginFolder;

beforeEach(() => {
  folder = new PluginFolder();
  for (const type of ['one', 'two', 'broken']) {
    const note = `input=$(cat); echo "$CNI_COMMAND ${type} $CNI_CONTAINERID $input" >> ${folder.path}/calls`;
    const fails =
      type === 'broken' ? '[ $CNI_COMMAND = ADD ] || { echo \'{"code":50,"msg":"no"}\'; exit 1; }' : '';
    folder.script(type, `${note}\n${fails}\n[ $CNI_COMMAND != ADD ] || echo '{"cniVersion":"1.0.0"}'`);
  }
});

afterEach(() => {
  folder[Symbol.dispose]();
});

function list(keys: object, ...types: string[]) {
  const plugins = types.map((type) => ({ type }));
  return parseConflist(JSON.stringify({ name: 'net', cniVersion: '1.1.0', plugins, ...keys }));
}

function runtime(containerID = 'c1') {
  const place = { containerID, netns: '/var/run/netns/x', ifName: 'eth0' };
  return { ...place, cniPath: folder.path, cacheDir: `${folder.path}/cache`, timeoutMs: 20_000 };
}

/** Command, plugin and container of each call but the ADDs. */
function calls(): string[] {
  const lines = folder.read('calls').trimEnd().split('\n');
  return lines.filter((line) => !line.startsWith('ADD')).map((line) => line.replace(/ ?\{.*/, ''));
}

const valid = (...names: string[]) => names.map((containerID) => ({ containerID, ifName: 'eth0' }));

test('what is not valid gets its DEL, then every plugin its GC with both keys of the specification', async () => {
  for (const name of ['a', 'b', 'c']) await addNetworkList(list({}, 'one', 'two'), runtime(name));
  const stale: string[] = [];
  const onStale = ({ containerID }: { containerID: string }) => void stale.push(containerID);
  await gcNetworkList(list({}, 'one', 'two'), { ...runtime(), validAttachments: valid('b'), onStale });
  expect(stale).toEqual(['a', 'c']);
  expect(calls().map((call) => call.trim())).toEqual([
    ...['DEL two a', 'DEL one a', 'DEL two c', 'DEL one c'],
    ...['GC one', 'GC two'],
  ]);
  const attachments = '[{"containerID":"b","ifname":"eth0"}]';
  expect(folder.read('calls')).toContain(
    `"cni.dev/valid-attachments":${attachments},"cni.dev/attachments":${attachments}`,
  );
  const cached = new ResultCache(`${folder.path}/cache`).list().entries;
  expect(cached.map(({ attachment }) => attachment.containerID)).toEqual(['b']);
});

test('nothing when the list disables it', async () => {
  await addNetworkList(list({}, 'one'), runtime('a'));
  await gcNetworkList(list({ disableGC: true }, 'one'), { ...runtime(), validAttachments: [] });
  expect(calls()).toEqual([]);
});

test('below 1.1.0 attachments get their DEL, and no plugin GC or STATUS', async () => {
  const old = list({ cniVersion: '1.0.0' }, 'one');
  await addNetworkList(old, runtime('a'));
  await gcNetworkList(old, { ...runtime(), validAttachments: [] });
  await getStatusNetworkList(old, runtime());
  expect(calls()).toEqual(['DEL one a']);
});

test('an attachment that cannot be deleted keeps nobody else from it', async () => {
  await addNetworkList(list({}, 'one', 'broken'), runtime('a'));
  await addNetworkList(list({}, 'one', 'broken'), runtime('b'));
  const failure = gcNetworkList(list({}, 'one', 'broken'), { ...runtime(), validAttachments: [] });
  await expect(failure).rejects.toThrow('network "net": DEL failed at plugin 2 of 2 ("broken"): no');
  expect(calls().map((call) => call.trim())).toEqual([
    ...['DEL broken a', 'DEL one a', 'DEL broken b', 'DEL one b'],
    ...['GC one', 'GC broken'],
  ]);
});

test('STATUS ends with the first plugin that is not ready, and its code', async () => {
  const error = await getStatusNetworkList(list({}, 'one', 'broken', 'two'), runtime()).catch(
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(CniError);
  expect(`${error.code}: ${error.message}`).toBe(
    '50: network "net": STATUS failed at plugin 2 of 3 ("broken"): no',
  );
  expect(calls().map((call) => call.trim())).toEqual(['STATUS one', 'STATUS broken']);
});

test('an ADD that cannot be cached is taken back', async () => {
  mkdirSync(`${folder.path}/cache`);
  writeFileSync(`${folder.path}/cache/results`, 'in the way');
  const failure = addNetworkList(list({}, 'one', 'two'), runtime('a'));
  await expect(failure).rejects.toMatchObject({ code: 5 });
  expect(calls()).toEqual(['DEL two a', 'DEL one a']);
  expect(existsSync(`${folder.path}/cache/cni-debug/net-a-eth0`)).toBe(false);
});
