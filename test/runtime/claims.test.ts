import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { parseConflist } from '../../src/cni/conflist.ts';
import { CniError } from '../../src/cni/error.ts';
import { takeBackAbandoned } from '../../src/runtime/abandoned.ts';
import { gcNetworkList } from '../../src/runtime/gc-network-list.ts';
import { addNetworkList, delNetworkList, InterfaceTakenError } from '../../src/runtime/network-list.ts';
import { scratchNamespace } from '../kernel/scratch.ts';
import { requires } from '../requirements.ts';
import { PluginFolder } from './plugin-folder.ts';

let folder: PluginFolder;

beforeEach(() => {
  folder = new PluginFolder();
});
afterEach(() => folder[Symbol.dispose]());

/** Notes when a call begins and ends; an ADD waits for the file `go`. */
function plugin(body = ''): void {
  const note = `echo "begin $CNI_COMMAND\${CNI_CONTAINERID:+ $CNI_CONTAINERID}" >> ${folder.path}/calls`;
  // Not beyond the test, whatever becomes of that.
  const mayGoOn = `[ -e ${folder.path}/go ] || [ ! -d ${folder.path} ]`;
  const wait = `[ $CNI_COMMAND != ADD ] || until ${mayGoOn}; do sleep 0.01; done`;
  const input = `input=$(cat); echo "$input" > ${folder.path}/input-$CNI_COMMAND`;
  const answer = `[ $CNI_COMMAND != ADD ] || echo '{"cniVersion":"1.1.0"}'`;
  folder.script('one', [input, note, wait, body, note.replace('begin', 'end'), answer].join('\n'));
}

const calls = () => (existsSync(`${folder.path}/calls`) ? folder.read('calls').trimEnd().split('\n') : []);
const go = () => writeFileSync(`${folder.path}/go`, '');

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(5);
}

function list(name = 'net') {
  return parseConflist(JSON.stringify({ name, cniVersion: '1.1.0', plugins: [{ type: 'one' }] }));
}

function runtime(keys: object = {}) {
  const attachment = { containerID: 'c1', netns: '/var/run/netns/none', ifName: 'eth0' };
  const cacheDir = `${folder.path}/cache`;
  return { ...attachment, cniPath: folder.path, cacheDir, timeoutMs: 20_000, ...keys };
}

/** Without what is one attachment's. */
function collection() {
  const { containerID: _, netns: __, ifName: ___, ...rest } = runtime();
  return rest;
}

/** What is cached, and what is claimed. */
const cached = () => readdirSync(`${folder.path}/cache/results`).sort();
const claimed = () => readdirSync(`${folder.path}/cache/cni-debug`);

test('DEL waits for the ADD of its attachment, and not for another', async () => {
  plugin();
  const adding = addNetworkList(list(), runtime());
  await until(() => calls().length === 1);
  const deleting = delNetworkList(list(), runtime());
  await delNetworkList(list(), runtime({ containerID: 'c2' }));
  expect(calls()).toEqual(['begin ADD c1', 'begin DEL c2', 'end DEL c2']);
  go();
  await Promise.all([adding, deleting]);
  expect(calls().slice(3)).toEqual(['end ADD c1', 'begin DEL c1', 'end DEL c1']);
  expect([cached(), claimed()]).toEqual([[], []]);
});

test('GC waits for every ADD to its network, and knows what they attached', async () => {
  plugin();
  const adding = ['c1', 'c2'].map((containerID) => addNetworkList(list(), runtime({ containerID })));
  await until(() => calls().length === 2);
  let asked = 0;
  const validAttachments = () => {
    asked += 1;
    return cached().map((name) => ({ containerID: name.split('-')[1] ?? '', ifName: 'eth0' }));
  };
  const collecting = gcNetworkList(list(), { ...collection(), validAttachments });
  await gcNetworkList(list('other'), { ...collection(), validAttachments: [] });
  expect(calls().slice(2)).toEqual(['begin GC', 'end GC']);
  expect(asked).toBe(0);
  go();
  await Promise.all([...adding, collecting]);
  expect(calls().slice(-2)).toEqual(['begin GC', 'end GC']);
  expect(JSON.parse(folder.read('input-GC'))['cni.dev/valid-attachments']).toEqual([
    { containerID: 'c1', ifname: 'eth0' },
    { containerID: 'c2', ifname: 'eth0' },
  ]);
  expect([cached(), claimed()]).toEqual([['net-c1-eth0', 'net-c2-eth0'], []]);
});

test('what another runtime caches while GC asks what lives is no garbage; that is asked again for the plugins', async () => {
  plugin();
  go();
  await addNetworkList(list(), runtime({ containerID: 'stale' }));
  const entry = folder.read('cache/results/net-stale-eth0');
  const answers = [[], [{ containerID: 'late', ifName: 'eth0' }]];
  const deleted: string[] = [];
  await gcNetworkList(list(), {
    ...collection(),
    validAttachments: () => {
      // As ctr does, which knows no claim.
      writeFileSync(`${folder.path}/cache/results/net-late-eth0`, entry.replace('"stale"', '"late"'));
      return answers.shift() ?? [];
    },
    onStale: ({ containerID }) => void deleted.push(containerID),
  });
  expect([deleted, cached()]).toEqual([['stale'], ['net-late-eth0']]);
  expect(JSON.parse(folder.read('input-GC'))['cni.dev/valid-attachments']).toEqual([
    { containerID: 'late', ifname: 'eth0' },
  ]);
});

test('what was begun is taken back with the plugins of then; what cannot be stays, and is said', async () => {
  plugin('[ $CNI_COMMAND != DEL ] || [ -e $0.may ] || exit 1');
  const adding = addNetworkList(list(), runtime());
  await until(() => calls().length === 1);
  const [name = ''] = claimed().filter((one) => !one.startsWith('@'));
  const text = folder.read(`cache/cni-debug/${name}`);
  go();
  await adding;
  // As if it had been killed at its very end.
  writeFileSync(`${folder.path}/cache/cni-debug/${name}`, text);

  const warnings: string[] = [];
  const surroundings = {
    ...runtime(),
    cniPath: '/nowhere',
    onWarning: (message: string) => void warnings.push(message),
  };
  await takeBackAbandoned(surroundings);
  expect(warnings.shift()).toBe('a call was killed that had begun net/c1/eth0: that is taken back');
  expect(warnings.join()).toContain(`the next call tries again (${folder.path}/cache/cni-debug/${name})`);
  expect([cached(), claimed()]).toEqual([['net-c1-eth0'], [name]]);
  folder.script('one.may', '');
  await takeBackAbandoned(surroundings);
  expect([cached(), claimed()]).toEqual([[], []]);
  // It came to its end: there was a result.
  expect(JSON.parse(folder.read('input-DEL')).prevResult).toMatchObject({ cniVersion: '1.1.0' });
});

test('whatever plugin is called for an attachment holds its claim, also when it takes something back', async () => {
  plugin(`readlink /proc/self/fd/3 >> ${folder.path}/calls`);
  go();
  await addNetworkList(list(), runtime());
  // Its interface is not there: it gets its DEL first.
  await addNetworkList(list(), runtime());
  const claim = `${folder.path}/cache/cni-debug/net-c1-eth0`;
  const attachments = [
    { kind: 'cniCacheV1', containerId: 'c1', ifName: 'eth0', networkName: 'net', config: '' },
  ];
  const config = Buffer.from(JSON.stringify(list().document)).toString('base64');
  const begun = { 'plugin-dir': folder.path, attachments: attachments.map((one) => ({ ...one, config })) };
  writeFileSync(claim, JSON.stringify(begun));
  await takeBackAbandoned(runtime());
  writeFileSync(claim, JSON.stringify(begun));
  await delNetworkList(list(), runtime());
  const held = (command: string) => [`begin ${command} c1`, claim, `end ${command} c1`];
  expect(calls()).toEqual(['ADD', 'DEL', 'ADD', 'DEL', 'DEL', 'DEL'].flatMap(held));
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  const links = (namespace: ReturnType<typeof scratchNamespace>) =>
    namespace.show<{ ifname: string }[]>('link').map(({ ifname }) => ifname);

  /** It makes an interface, which takes it a while, and removes what has the name, whosever it is. */
  function bridging(): void {
    const inside = 'nsenter --net=$CNI_NETNS ip link';
    plugin(`case $CNI_COMMAND in
      ADD) ${inside} add $CNI_IFNAME type bridge || exit 1;;
      DEL) [ ! -e "$CNI_NETNS" ] || ${inside} del $CNI_IFNAME || true;;
    esac`);
  }

  test('two ADDs of one interface, to two networks: the second changes nothing', async () => {
    const namespace = scratchNamespace();
    try {
      bridging();
      const keys = { netns: namespace.path, environment: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };
      const adding = ['net', 'other'].map((name, index) =>
        addNetworkList(list(name), runtime({ ...keys, containerID: `c${index}` })).then(
          () => 'added',
          (error) => error,
        ),
      );
      await until(() => calls().length === 1);
      await Bun.sleep(100);
      go();
      const answers = await Promise.all(adding);
      const [taken] = answers.filter((answer) => answer !== 'added');
      expect(answers).toContain('added');
      expect(taken).toBeInstanceOf(InterfaceTakenError);
      expect(taken.message).toContain(`already has an interface "eth0" in ${namespace.path}`);
      expect(calls()).toHaveLength(2);
      expect(links(namespace)).toEqual(['lo', 'eth0']);
      expect([cached().length, claimed()]).toEqual([1, []]);
    } finally {
      namespace.remove();
    }
  });

  test('an ADD that follows another of the same attachment says what is there', async () => {
    const namespace = scratchNamespace();
    try {
      bridging();
      go();
      const keys = { netns: namespace.path, environment: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };
      await addNetworkList(list(), runtime(keys));
      const again = addNetworkList(list(), runtime({ ...keys, netns: `/var${namespace.path}` }));
      await expect(again).rejects.toThrow('by an earlier ADD to network "net"');
      expect(links(namespace)).toEqual(['lo', 'eth0']);
      namespace.ip('link del eth0');
      const warnings: string[] = [];
      const onWarning = (message: string) => void warnings.push(message);
      await addNetworkList(list(), runtime({ ...keys, onWarning }));
      expect(warnings.join()).toContain('is of an earlier "eth0" that is gone: it gets its DEL first');
      expect(links(namespace)).toEqual(['lo', 'eth0']);
      expect(calls().filter((call) => call.startsWith('begin'))).toEqual([
        ...['begin ADD c1', 'begin DEL c1', 'begin ADD c1'],
      ]);
    } finally {
      namespace.remove();
    }
  });

  test('the own network of this process gets no ADD, and DEL does not know it', async () => {
    plugin(`echo "netns=$CNI_NETNS" >> ${folder.path}/calls`);
    const own = runtime({ netns: '/proc/self/ns/net' });
    const error = await addNetworkList(list(), own).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(CniError);
    expect(error.code).toBe(8);
    expect(calls()).toEqual([]);
    await delNetworkList(list(), own);
    expect(calls()).toEqual(['begin DEL c1', 'netns=', 'end DEL c1']);
  });

  test('the process of an attachment that has ended, and whose number another has, is not told to DEL', async () => {
    plugin(`echo "netns=$CNI_NETNS" >> ${folder.path}/calls`);
    const entry = (netns: string) =>
      JSON.stringify({
        ...{ kind: 'cniCacheV1', containerId: 'c1', config: '', ifName: 'eth0', networkName: 'net', netns },
      });
    const other = Bun.spawn(['unshare', '--net', 'sh', '-c', 'echo; exec sleep 60'], { stdout: 'pipe' });
    try {
      await other.stdout.getReader().read();
      const netns = `/proc/${other.pid}/ns/net`;
      go();
      for (const [age, told] of [
        [0, netns],
        [3600, ''],
      ] as const) {
        await addNetworkList(list(), runtime());
        const path = `${folder.path}/cache/results/net-c1-eth0`;
        writeFileSync(path, entry(netns));
        const since = Date.now() / 1000 - age;
        utimesSync(path, since, since);
        await delNetworkList(list(), runtime({ netns }));
        expect(calls().slice(-3)).toEqual(['begin DEL c1', `netns=${told}`, 'end DEL c1']);
      }
      // Nobody has written down when that path was its: whoever says it now means it.
      await delNetworkList(list(), runtime({ netns }));
      expect(calls().slice(-2, -1)).toEqual([`netns=${netns}`]);
    } finally {
      other.kill('SIGKILL');
    }
  });
});
