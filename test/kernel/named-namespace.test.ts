import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createNamespace, removeNamespace } from '../../src/kernel/named-namespace.ts';
import { listLinks } from '../../src/kernel/netlink/link.ts';
import { openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import { currentNamespace, NotNetworkNamespaceError, openNamespace } from '../../src/kernel/netns.ts';
import { requires } from '../requirements.ts';
import { scratchFolder } from './scratch.ts';

const name = `kernel-test-${process.pid}-named`;
const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
const here = (): string => {
  const namespace = currentNamespace();
  namespace.close();
  return namespace.id;
};

describe.if(requires('root', 'ip'))('a named namespace', () => {
  test.each(['/run/netns', '/var/run/netns'])('in %s is one of `ip netns`', (folder) => {
    const path = `${folder}/${name}`;
    const home = here();
    createNamespace(path);
    try {
      expect(here()).toBe(home);
      expect(ip('netns', 'list')).toContain(name);
      expect(ip('-n', name, '-brief', 'link')).toMatch(/^lo +DOWN/);
      const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
      expect(mounts.find((line) => line.includes(' /run/netns '))).toContain(' shared:');
      const namespace = openNamespace(path);
      const socket = openRouteSocket(namespace);
      expect(listLinks(socket).map((link) => [link.name, link.up])).toEqual([['lo', false]]);
      socket.close();
      namespace.close();
    } finally {
      removeNamespace(path);
    }
    expect(existsSync(path)).toBe(false);
    expect(ip('netns', 'list')).not.toContain(name);
  });

  test('is not made where something is', () => {
    const path = `/run/netns/${name}`;
    createNamespace(path);
    try {
      const first = openNamespace(path);
      expect(() => createNamespace(path)).toThrow(`open "${path}": File exists (EEXIST)`);
      const second = openNamespace(path);
      expect(second.id).toBe(first.id);
      first.close();
      second.close();
    } finally {
      removeNamespace(path);
    }
  });

  test('that `ip netns` made is removed, and the other way round', () => {
    ip('netns', 'add', name);
    removeNamespace(`/run/netns/${name}`);
    expect(existsSync(`/run/netns/${name}`)).toBe(false);
    createNamespace(`/run/netns/${name}`);
    ip('netns', 'delete', name);
    expect(existsSync(`/run/netns/${name}`)).toBe(false);
  });

  test('is removed while a process is in it', () => {
    const path = `/run/netns/${name}`;
    createNamespace(path);
    const namespace = openNamespace(path);
    removeNamespace(path);
    expect(existsSync(path)).toBe(false);
    const socket = openRouteSocket(namespace);
    expect(listLinks(socket).length).toBe(1);
    socket.close();
    namespace.close();
  });

  test('may be anywhere', () => {
    const folder = scratchFolder();
    const path = `${folder.path}/elsewhere`;
    createNamespace(path);
    openNamespace(path).close();
    removeNamespace(path);
    expect(existsSync(path)).toBe(false);
    folder.remove();
  });

  test('in a folder that is not there is an error', () => {
    const path = '/run/no-such-folder/x';
    expect(() => createNamespace(path)).toThrow(`open "${path}": No such file or directory (ENOENT)`);
  });
});

describe.if(requires('root'))('removal', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let path: string;
  beforeAll(() => {
    folder = scratchFolder();
    path = `${folder.path}/x`;
  });
  afterAll(() => folder.remove());

  test('of nothing is success', () => {
    removeNamespace(path);
    removeNamespace(`${folder.path}/no/such/folder`);
  });

  test('takes the empty file that an unmounted namespace leaves', () => {
    createNamespace(path);
    execFileSync('umount', [path]);
    expect(existsSync(path)).toBe(true);
    removeNamespace(path);
    expect(existsSync(path)).toBe(false);
  });

  test('leaves alone what cannot have been a namespace', () => {
    writeFileSync(path, 'precious');
    mkdirSync(`${folder.path}/folder`);
    expect(() => removeNamespace(path)).toThrow(NotNetworkNamespaceError);
    expect(() => removeNamespace(`${folder.path}/folder`)).toThrow(NotNetworkNamespaceError);
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });
});
