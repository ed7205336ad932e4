import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  cnitoolContainerID,
  findNamespace,
  NamespaceNotFoundError,
} from '../../src/runtime/find-namespace.ts';
import { scratchFolder, scratchNamespace } from '../kernel/scratch.ts';
import { requires } from '../requirements.ts';

let scratch: ReturnType<typeof scratchFolder>;
let run: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  scratch = scratchFolder();
  run = scratch.path;
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  scratch.remove();
});

const own = `/proc/${process.pid}/ns/net`;

function task(id: string, pid = process.pid): void {
  const folder = `${run}/containerd/io.containerd.runtime.v2.task/default/${id}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/init.pid`, String(pid));
}

function notFound(text: string): NamespaceNotFoundError {
  try {
    findNamespace(text, run);
  } catch (error) {
    if (error instanceof NamespaceNotFoundError) return error;
    throw error;
  }
  throw new Error(`${text} was found`);
}

test('a path is a path, also where there is nothing', () => {
  expect(findNamespace('/run/netns/none', run)).toEqual({ netns: '/run/netns/none' });
  expect(findNamespace('./none', run)).toEqual({ netns: `${process.cwd()}/none` });
  expect(findNamespace('/proc/self/../1/ns/net', run)).toEqual({ netns: '/proc/1/ns/net' });
});

test('so is pid:NUMBER; a number alone must be that of a process', () => {
  expect(findNamespace('pid:99999999', run)).toEqual({ netns: '/proc/99999999/ns/net' });
  expect(findNamespace(String(process.pid), run)).toEqual({ netns: own });
  expect(notFound('99999999').message).toBe(
    '"99999999" is no namespace (ip netns), no process, and no container that containerd runs',
  );
  for (const text of ['pid:', 'pid:x', 'pid:-1', '', '.', '..']) notFound(text);
});

test('what is nowhere: how to ask another runtime', () => {
  const { message, advice } = notFound('nosuch');
  expect(message).toBe(
    '"nosuch" is no namespace (ip netns), no process, and no container that containerd runs',
  );
  expect(advice.join('\n')).toContain("docker inspect --format '{{.State.Pid}}' nosuch");
});

test('a container of containerd, by its ID or the beginning of it', () => {
  task('3f2a0c11');
  for (const text of ['3f2a0c11', '3f2', '3'])
    expect(findNamespace(text, run)).toEqual({ netns: own, containerID: '3f2a0c11' });
  notFound('3f2a0c111');
  notFound('f2a0');
});

test('several of one namespace are no question', () => {
  task('3f2a0c11');
  task('3f2b');
  expect(findNamespace('3f2', run).netns).toBe(own);
});

describe.if(requires('root', 'ip'))('of several namespaces', () => {
  async function inOther(): Promise<number> {
    const child = spawn('unshare', ['--net', 'sh', '-c', 'echo; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    return child.pid ?? 0;
  }

  test('a beginning that several have is refused, and all are named', async () => {
    const pid = await inOther();
    task('3f2a0c11');
    task('3f2b', pid);
    const { message, advice } = notFound('3f2');
    expect(message).toStartWith('"3f2" is the beginning or name of several: ');
    expect(message).toContain(`3f2a0c11 ${own}`);
    expect(message).toContain(`3f2b /proc/${pid}/ns/net`);
    expect(advice.join()).toContain('pid:NUMBER');
    expect(findNamespace('3f2b', run).containerID).toBe('3f2b');
  });

  test('a whole ID is none the less one when another begins with it', async () => {
    task('web', await inOther());
    task('web-2');
    expect(findNamespace('web', run).containerID).toBe('web');
    expect(findNamespace('web-', run).containerID).toBe('web-2');
  });

  test('a number may be a process, and the beginning of an ID', async () => {
    const pid = await inOther();
    task(`${pid}abc`);
    expect(notFound(String(pid)).message).toContain('several');
    expect(findNamespace(`pid:${pid}`, run).netns).toBe(`/proc/${pid}/ns/net`);
    task(`${pid}abc`, pid);
    expect(findNamespace(String(pid), run)).toEqual({
      netns: `/proc/${pid}/ns/net`,
      containerID: `${pid}abc`,
    });
  });

  test('a name of ip netns', () => {
    const namespace = scratchNamespace();
    try {
      const netns = `/var/run/netns/${namespace.name}`;
      expect(findNamespace(namespace.name, run)).toEqual({ netns });
      task(`${namespace.name}-more`);
      expect(notFound(namespace.name).message).toContain(`${namespace.name}-more ${own}, ${netns}`);
    } finally {
      namespace.remove();
    }
  });
});

test('the container ID of cnitool', () => {
  // printf /var/run/netns/testing | sha512sum
  expect(cnitoolContainerID('/var/run/netns/testing')).toBe('cnitool-77383ca0a0715733ca6f');
});
