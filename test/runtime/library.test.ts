import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../program.ts';
import { PluginFolder } from './plugin-folder.ts';

const checkout = join(import.meta.dir, '../..');

/** A program of somebody else that has this package. */
const consumer = new PluginFolder();
mkdirSync(`${consumer.path}/node_modules/@types`, { recursive: true });
symlinkSync(checkout, `${consumer.path}/node_modules/cni-debug`);
symlinkSync(join(checkout, 'node_modules/@types/node'), `${consumer.path}/node_modules/@types/node`);
afterAll(() => consumer[Symbol.dispose]());

const source = `import {
  addNetwork, addNetworkList, ChainError, checkNetwork, checkNetworkList, delNetwork, delNetworkList, gcNetworkList,
  getStatusNetworkList, networkFiles, parseConflist, ResultCache, type RuntimeConfiguration,
} from 'cni-debug/runtime';

const runtime: RuntimeConfiguration = {
  containerID: 'web', netns: '/run/netns/none', ifName: 'eth0', args: 'IgnoreUnknown=1',
  cniPath: '${consumer.path}', cacheDir: '${consumer.path}/cache', timeoutMs: 20_000,
};
const list = parseConflist('{"name":"lab","cniVersion":"1.1.0","plugins":[{"type":"one"}]}');
const result = await addNetworkList(list, runtime);
console.log('ADD', JSON.stringify(result.ips), new ResultCache(runtime.cacheDir).list().entries.length);
await checkNetworkList(list, runtime);
await getStatusNetworkList(list, runtime);
await gcNetworkList(list, { ...runtime, validAttachments: [{ containerID: 'web', ifName: 'eth0' }] });
await delNetworkList(list, runtime);
const plugin = { type: 'one', name: 'single', cniVersion: '1.0.0' };
await addNetwork(plugin, runtime);
await checkNetwork(plugin, runtime);
await delNetwork(plugin, runtime);
console.log('left', new ResultCache(runtime.cacheDir).list().entries.length, networkFiles('/none').networks.length);
try {
  await addNetwork({ ...plugin, type: 'none' }, runtime);
} catch (error) {
  if (error instanceof ChainError) console.log(error.plugin, error.position, error.code);
}
`;

test('a program imports cni-debug/runtime', async () => {
  consumer.script(
    'one',
    `cat >/dev/null; echo $CNI_COMMAND >> ${consumer.path}/calls; [ $CNI_COMMAND != ADD ] ||
    echo '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"}]}'`,
  );
  writeFileSync(
    `${consumer.path}/program.mjs`,
    source.replace(/: RuntimeConfiguration|, type RuntimeConfiguration/g, ''),
  );
  const answer = await run(['node', `${consumer.path}/program.mjs`]);
  expect(answer).toMatchObject({
    ...{ status: 0, stderr: '' },
    stdout: 'ADD [{"address":"10.0.0.2/24"}] 1\nleft 0 0\nnone 1 101\n',
  });
  expect(consumer.read('calls').trim().split('\n')).toEqual([
    ...['ADD', 'CHECK', 'STATUS', 'GC', 'DEL', 'ADD', 'CHECK', 'DEL'],
  ]);
});

test('with its types', async () => {
  const check = async (text: string) => {
    writeFileSync(`${consumer.path}/program.mts`, text);
    const options = '--ignoreConfig --noEmit --strict --module nodenext --target es2022 --types node'.split(
      ' ',
    );
    const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
    return run(['node', tsc, ...options, 'program.mts'], { cwd: consumer.path });
  };
  expect(await check(source)).toMatchObject({ status: 0, stdout: '' });
  const wrong = await check(source.replace("ifName: 'eth0', args", 'ifName: 7, args'));
  expect(wrong.stdout).toContain("Type 'number' is not assignable to type 'string'");
});
