import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { parseConflist } from '../../src/cni/conflist.ts';
import { withScratchNamespace } from '../../src/runtime/scratch-run.ts';
import { scratchNamespace } from '../kernel/scratch.ts';
import { requires } from '../requirements.ts';
import { PluginFolder } from './plugin-folder.ts';

let folder: PluginFolder;

beforeEach(() => {
  folder = new PluginFolder();
  const answer = `[ $CNI_COMMAND != ADD ] || echo '{"cniVersion":"1.0.0"}'`;
  folder.script('one', `cat >/dev/null; echo $CNI_COMMAND $CNI_IFNAME >> ${folder.path}/calls; ${answer}`);
});
afterEach(() => folder[Symbol.dispose]());

function run(containerID: string) {
  const document = { name: 'net', cniVersion: '1.0.0', plugins: [{ type: 'one' }] };
  const list = parseConflist(JSON.stringify(document));
  const cacheDir = `${folder.path}/cache`;
  return { lists: [list, list], containerID, cniPath: folder.path, cacheDir, timeoutMs: 20_000 };
}

const files = (name: string) => readdirSync(`${folder.path}/cache/${name}`);

test('an ID that is no name of a file is refused before it becomes one', async () => {
  for (const containerID of ['../x', '', '.x', 'a/b']) {
    const refused = withScratchNamespace(run(containerID), async () => {});
    await expect(refused).rejects.toThrow(`container ID ${JSON.stringify(containerID)} must begin with`);
  }
  expect(existsSync(`${folder.path}/cache`)).toBe(false);
});

test.if(requires('root', 'ip'))('a namespace that is there is not touched', async () => {
  const namespace = scratchNamespace();
  try {
    await expect(withScratchNamespace(run(namespace.name), async () => {})).rejects.toThrow('(EEXIST)');
    expect(namespace.show('link')).toHaveLength(1);
    expect(existsSync(`${folder.path}/calls`)).toBe(false);
    expect(files('cni-debug')).toEqual([]);
  } finally {
    namespace.remove();
  }
});

test.if(requires('root'))(
  'all that is attached is detached, in reverse, and the namespace is gone',
  async () => {
    const containerID = `scratch-run-test-${process.pid}`;
    const seen = await withScratchNamespace(run(containerID), async (netns) => [
      existsSync(netns),
      ...files('results').sort(),
    ]);
    expect(seen).toEqual([true, `net-${containerID}-eth0`, `net-${containerID}-eth1`]);
    const failing = withScratchNamespace(run(containerID), async () => {
      throw new Error('of the command');
    });
    await expect(failing).rejects.toThrow('of the command');
    const calls = ['ADD eth0', 'ADD eth1', 'DEL eth1', 'DEL eth0'];
    expect(folder.read('calls').trimEnd().split('\n')).toEqual([...calls, ...calls]);
    expect([files('results'), files('cni-debug'), existsSync(`/run/netns/${containerID}`)]).toEqual([
      [],
      [],
      false,
    ]);
  },
);
