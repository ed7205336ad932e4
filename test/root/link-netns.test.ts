import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { prevResult } from '../program.ts';
import { requires } from '../requirements.ts';
import { inside } from './namespace-command.ts';
import { type Pod, Site, succeeded } from './site.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

const valid = 'cni.dev/valid-attachments';
// GC looks at all containers of the machine: this network is nobody else's.
const network = `net-${process.pid}`;
let made = 0;

describe.if(requires('root', 'ip'))('linkNetns', () => {
  let site: Site;
  let pod: Pod;
  let containerID: string;
  let link: string;
  let state: string;
  beforeEach(() => {
    site = new Site();
    pod = site.pod('pod');
    made += 1;
    containerID = `cni-debug-test-link-${process.pid}-${made}`;
    link = `/var/run/netns/${containerID}`;
    state = `/run/cni-debug/netns-links/${containerID}.json`;
  });
  afterEach(() => {
    for (const path of [link, state]) rmSync(path, { force: true });
    site[Symbol.dispose]();
  });

  const configuration = (keys: Json = {}): Json => {
    const { log: cniOutput, journal: path } = site.scratch;
    const logs = { cniOutput, journal: { path }, validate: 'warn' };
    const base = { cniVersion: '1.1.0', name: network, type: 'debug', linkNetns: true, ...logs };
    return { ...base, prevResult: { ...prevResult, cniVersion: '1.1.0' }, ...keys };
  };
  const call = (command: string, keys: Json = {}, how: object = {}) =>
    site.call(command, configuration(keys), { pod, containerID, ...how });
  const done = async (command: string, keys: Json = {}, how: object = {}) =>
    succeeded(await call(command, keys, how));
  const isThere = () => lstatSync(link, { throwIfNoEntry: false }) !== undefined;
  const findings = () =>
    site.scratch
      .records()
      .at(-1)
      .findings.filter(({ rule }: Json) => rule === 'netns-link');
  const insideBy = (path: string) => JSON.parse(site.onNode('ip', '-n', path, '-j', 'link'))[0].ifname;

  test('95-debug-link-netns.conflist: ip netns finds the container by its ID, and DEL removes the link', async () => {
    const file = join(import.meta.dir, '../../conflists/95-debug-link-netns.conflist');
    const list = JSON.parse(readFileSync(file, 'utf8'));
    const [plugin] = list.plugins;
    plugin.ipam.dataDir = site.leases;
    const own = {
      ...list,
      ...plugin,
      prevResult: undefined,
      cniOutput: site.scratch.log,
      plugins: undefined,
    };
    const result = JSON.parse((await done('ADD', own)).stdout);
    const [ip] = result.ips;
    expect(site.onNode('ip', 'netns', 'exec', containerID, 'ip', 'addr')).toContain(ip.address);
    expect(site.onNode('ip', 'netns', 'list')).toContain(containerID);
    expect(readlinkSync(link)).toBe(pod.netns);
    await done('DEL', { ...own, prevResult: result });
    expect(isThere()).toBeFalse();
    expect(existsSync(state)).toBeFalse();
    expect(findings()).toEqual([]);
  });

  test('without the key there is none, and a failed ADD makes none', async () => {
    await done('ADD', { linkNetns: false });
    expect(isThere()).toBeFalse();
    expect((await call('ADD', { addHooks: [['false']], strictHooks: true })).status).toBe(1);
    expect((await call('ADD', { prevResult: undefined })).status).toBe(1);
    const unspeakable = { cniVersion: '0.2.0', prevResult: { cniVersion: '1.0.0' } };
    expect((await call('ADD', unspeakable)).stdout).toContain('cannot convert: no valid IP addresses');
    expect(isThere()).toBeFalse();
  });

  test.each<[string, Json, object]>([
    ['without CNI_NETNS', {}, { netns: '' }],
    ['without prevResult', { prevResult: undefined }, {}],
    ['without the key, which it had at ADD', { linkNetns: false }, {}],
    ['with a key that is malformed now', { linkNetns: 'yes' }, {}],
  ])('DEL %s removes it, and twice is as good as once', async (_, keys, how) => {
    await done('ADD');
    expect(isThere()).toBeTrue();
    for (let time = 0; time < 2; time++) {
      await done('DEL', keys, how);
      expect(isThere()).toBeFalse();
    }
  });

  test('it goes with the last of the container’s attachments, in whatever order', async () => {
    await done('ADD');
    await done('ADD');
    await done('ADD', {}, { ifName: 'eth1' });
    await done('ADD', { name: 'other' });
    await done('DEL');
    await done('DEL');
    expect(isThere()).toBeTrue();
    await done('DEL', { name: 'other' });
    await done('DEL', { name: 'none' });
    expect(insideBy(containerID)).toBe('lo');
    await done('DEL', {}, { ifName: 'eth1' });
    expect(isThere()).toBeFalse();
  });

  test('a namespace of a process: the link dangles when it is gone, and DEL still removes it', async () => {
    const sleeper: ChildProcess = inside(pod.netns, () => spawn('sleep', ['1000']));
    const netns = `/proc/${sleeper.pid}/ns/net`;
    await done('ADD', {}, { netns });
    expect(readlinkSync(link)).toBe(netns);
    expect(insideBy(containerID)).toBe('lo');
    sleeper.kill('SIGKILL');
    await once(sleeper, 'exit');
    expect(isThere()).toBeTrue();
    await done('DEL', {}, { netns });
    expect(isThere()).toBeFalse();
    // A namespace that is gone at ADD gets none.
    await done('ADD', {}, { netns });
    expect(findings()).toHaveLength(1);
    expect(isThere()).toBeFalse();
  });

  test('a path that is another one’s to everybody else gets none: ip netns would be on the node by it', async () => {
    for (const netns of ['/proc/self/ns/net', '/proc/thread-self/ns/net', '/dev/fd/0']) {
      await done('ADD', {}, { netns });
      expect(findings()).toEqual([
        expect.objectContaining({ message: expect.stringContaining('each process') }),
      ]);
      expect(isThere()).toBeFalse();
    }
  });

  test('a container that comes back in another namespace gets a new link', async () => {
    await done('ADD');
    const again = site.pod('again');
    await done('ADD', {}, { pod: again, ifName: 'eth1' });
    expect(readlinkSync(link)).toBe(again.netns);
    await done('DEL', {}, { pod: again, ifName: 'eth1' });
    expect(isThere()).toBeFalse();
  });

  test.each<[string, (path: string) => void, number]>([
    ['a file', (path) => writeFileSync(path, ''), 1],
    ['a link elsewhere', (path) => symlinkSync('/proc/self/ns/net', path), 1],
    ['a link to nowhere', (path) => symlinkSync('/none', path), 1],
    ['the operator’s own link to the namespace', (path) => symlinkSync(pod.netns, path), 0],
  ])('%s that is there already stays, and ADD succeeds', async (_, make, complaints) => {
    make(link);
    const before = lstatSync(link).ino;
    await done('ADD');
    expect(findings()).toHaveLength(complaints);
    await done('DEL');
    await done('GC', { [valid]: [] });
    expect(lstatSync(link).ino).toBe(before);
    expect(existsSync(state)).toBeFalse();
  });

  test('what has taken the place of ours stays at DEL', async () => {
    await done('ADD');
    rmSync(link);
    symlinkSync('/none', link);
    await done('DEL');
    expect(readlinkSync(link)).toBe('/none');
    expect(existsSync(state)).toBeFalse();
  });

  test('a namespace that has the container’s ID for its name needs no link, and DEL leaves it', async () => {
    const name = pod.netns.slice('/run/netns/'.length);
    for (const command of ['ADD', 'DEL']) await done(command, {}, { containerID: name });
    expect(findings()).toEqual([]);
    expect(insideBy(name)).toBe('lo');
  });

  test('GC removes those of attachments that are not listed, of its own network only', async () => {
    const gc = async (list: unknown, name = network) =>
      succeeded(await site.call('GC', configuration({ name, [valid]: list })));
    const listed = [{ containerID, ifname: 'eth0' }];
    await done('ADD');
    for (const list of [undefined, null, listed]) await gc(list);
    await gc([], 'other');
    expect(isThere()).toBeTrue();
    site.removeNamespace(pod);
    await gc([{ containerID, ifname: 'eth1' }]);
    expect(isThere()).toBeFalse();
    await gc('malformed');
    expect(findings()).toHaveLength(1);
  });

  test('where /run/netns is missing it is made', async () => {
    const script = 'mount -t tmpfs none /run && "$0" && stat -c %a /run/netns && readlink /run/netns/*';
    const netns = `/proc/${process.pid}/ns/net`;
    const { stdout } = await done('ADD', {}, { netns, through: ['unshare', '-m', 'sh', '-c', script] });
    expect(stdout).toEndWith(`755\n${netns}\n`);
    expect(isThere()).toBeFalse();
  });
});
