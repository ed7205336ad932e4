import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { getLink } from '../../src/kernel/netlink/link.ts';
import { openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import {
  CURRENT,
  currentNamespace,
  enterNamespace,
  NotNetworkNamespaceError,
  openNamespace,
  runIn,
  runInNew,
} from '../../src/kernel/netns.ts';
import { SystemError } from '../../src/kernel/system-error.ts';
import { requires } from '../requirements.ts';
import { type ScratchNamespace, scratchFolder, scratchNamespace } from './scratch.ts';

/** By number, and what each leads to. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      // That of the folder which was just read.
      return [];
    }
  });
}

/** What has been opened since then, and not closed; pipes of the test before this one may be closed meanwhile. */
const openedSince = (before: readonly string[]) => openFiles().filter((file) => !before.includes(file));

/** Runs TypeScript in a process of its own, and answers what it wrote to stdout. */
function runScript(code: string): string {
  const imports = `import * as netns from ${JSON.stringify(`${import.meta.dir}/../../src/kernel/netns.ts`)};`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', imports + code], { encoding: 'utf8' });
  return stdout + stderr;
}

describe('paths that are no network namespace', () => {
  const folder = scratchFolder();
  const path = (name: string): string => `${folder.path}/${name}`;
  const server = createServer();
  beforeAll(async () => {
    writeFileSync(path('file'), 'not empty');
    writeFileSync(path('empty'), '');
    spawnSync('mkfifo', [path('fifo')]);
    symlinkSync(path('nowhere'), path('dangling'));
    await new Promise<void>((resolve) => server.listen(path('socket'), () => resolve()));
  });
  afterAll(() => {
    server.close();
    folder.remove();
  });

  test.each([
    [
      'file',
      'regular file',
      'a regular file, not a network namespace; the namespace mounted there may be gone',
    ],
    [
      'empty',
      'regular file',
      'a regular file, not a network namespace; the namespace mounted there may be gone',
    ],
    ['.', 'directory', 'a directory, not a network namespace'],
    ['fifo', 'named pipe', 'a named pipe, not a network namespace'],
    ['socket', 'socket', 'a socket, not a network namespace'],
    ['/dev/null', 'device', 'a device, not a network namespace'],
    ['/proc/self/ns/mnt', 'mnt namespace', 'a mnt namespace, not a network namespace'],
    ['/proc/self/ns/user', 'user namespace', 'a user namespace, not a network namespace'],
    ['/proc/self/ns/ipc', 'ipc namespace', 'an ipc namespace, not a network namespace'],
    ['/proc/self/status', 'regular file', 'a regular file, not a network namespace'],
  ])('%s', (name, found, message) => {
    const where = name.startsWith('/') ? name : path(name);
    const before = openFiles();
    let error: unknown;
    try {
      openNamespace(where);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(NotNetworkNamespaceError);
    expect(error).toMatchObject({ path: where, found });
    expect(String(error)).toContain(`${JSON.stringify(where)} is ${message}`);
    expect(openedSince(before)).toEqual([]);
  });

  test.each(['missing', 'dangling', 'file/below'])('%s is a SystemError', (name) => {
    expect(() => openNamespace(path(name))).toThrow(SystemError);
  });

  test('a missing path is named', () => {
    expect(() => openNamespace('/run/netns/no such')).toThrow(
      'stat "/run/netns/no such": No such file or directory (ENOENT)',
    );
  });
});

test('one namespace has one id, however it was reached', () => {
  const folder = scratchFolder();
  symlinkSync('/proc/self/ns/net', `${folder.path}/link`);
  const namespaces = [
    currentNamespace(),
    openNamespace('/proc/self/ns/net'),
    openNamespace(`${folder.path}/link`),
  ];
  expect(new Set(namespaces.map(({ id }) => id)).size).toBe(1);
  expect(namespaces[0]?.id).toMatch(/^\d+:\d+$/);
  for (const namespace of namespaces) namespace.close();
  folder.remove();
});

test('a namespace is closed once, is not inherited, and leaves nothing open', () => {
  const before = openFiles();
  const namespace = currentNamespace();
  const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${namespace.fd}`, 'latin1'))?.[1];
  expect(Number.parseInt(flags!, 8) & 0o2000000).toBe(0o2000000);
  namespace.close();
  namespace.close();
  expect(openedSince(before)).toEqual([]);
});

describe.if(requires('root', 'ip'))('inside a namespace', () => {
  let scratch: ScratchNamespace;
  let home: string;
  beforeAll(() => {
    scratch = scratchNamespace('link add inside0 type veth peer name inside1');
    home = here();
  });
  afterAll(() => scratch.remove());

  function here(): string {
    const namespace = currentNamespace();
    namespace.close();
    return namespace.id;
  }

  test('a function runs there, and nothing after it', () => {
    const before = openFiles();
    const namespace = openNamespace(scratch.path);
    expect(namespace.id).not.toBe(home);
    expect(runIn(namespace, here)).toBe(namespace.id);
    expect(here()).toBe(home);
    namespace.close();
    expect(openedSince(before)).toEqual([]);
  });

  test('what it throws is thrown on, outside', () => {
    const namespace = openNamespace(scratch.path);
    const thrown = new Error('inside');
    expect(() =>
      runIn(namespace, () => {
        throw thrown;
      }),
    ).toThrow(thrown);
    expect(here()).toBe(home);
    namespace.close();
  });

  test('a promise is refused, by its type and when it comes', () => {
    const namespace = openNamespace(scratch.path);
    // @ts-expect-error a promise
    expect(() => runIn(namespace, async () => 1)).toThrow(TypeError);
    // @ts-expect-error a promise
    expect(() => runIn(namespace, () => Promise.resolve())).toThrow('must not return a promise');
    expect(here()).toBe(home);
    namespace.close();
  });

  test('runs may be nested', () => {
    const namespace = openNamespace(scratch.path);
    const ids = runIn(namespace, () => [here(), runInNew(here), here()]);
    expect(ids[0]).toBe(namespace.id);
    expect(ids[1]).not.toBe(namespace.id);
    expect(ids[2]).toBe(namespace.id);
    namespace.close();
  });

  test('a socket keeps the namespace that it was opened in', () => {
    const namespace = openNamespace(scratch.path);
    const there = openRouteSocket(namespace);
    namespace.close();
    const ours = openRouteSocket();
    expect(getLink(there, 'inside0')).toBeDefined();
    expect(getLink(ours, 'inside0')).toBeUndefined();
    there.close();
    ours.close();
  });

  test('enterNamespace stays there', () => {
    const output = runScript(`
      const target = netns.openNamespace(${JSON.stringify(scratch.path)});
      netns.enterNamespace(target);
      console.log(netns.currentNamespace().id === target.id);
    `);
    expect(output).toBe('true\n');
    expect(enterNamespace).toBeFunction();
  });

  test('one who may not enter is told so', () => {
    const output = runScript(`
      const target = netns.openNamespace(${JSON.stringify(scratch.path)});
      process.setuid(65534);
      try { netns.runIn(target, () => 0); } catch (error) { console.log(String(error)); }
      try { netns.runInNew(() => 0); } catch (error) { console.log(String(error)); }
    `);
    expect(output).toBe(
      `SystemError: setns "${scratch.path}": Operation not permitted (EPERM)\n` +
        'SystemError: unshare: Operation not permitted (EPERM)\n',
    );
  });

  test('one who cannot come back is lost', () => {
    const output = runScript(`
      const target = netns.openNamespace(${JSON.stringify(scratch.path)});
      try {
        netns.runIn(target, () => { process.setuid(65534); throw new Error('inside'); });
      } catch (error) { console.log(String(error)); console.log(String(error.cause)); }
    `);
    expect(output).toBe(
      'NamespaceLostError: cannot return to the network namespace of this process: ' +
        `setns "${CURRENT}": Operation not permitted (EPERM)\nError: inside\n`,
    );
  });
});
