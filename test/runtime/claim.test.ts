import { afterEach, beforeEach, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { newObject } from '../../src/cni/json.ts';
import { type Begun, Claim } from '../../src/runtime/claim.ts';
import { scratchFolder } from '../kernel/scratch.ts';

let scratch: ReturnType<typeof scratchFolder>;
let folder: string;

beforeEach(() => {
  scratch = scratchFolder();
  folder = `${scratch.path}/cache/claims`;
});
afterEach(() => scratch.remove());

const begun: Begun = {
  cniPath: '/opt/cni/bin:/usr/lib/cni',
  attachments: [
    {
      ...{ network: 'net', containerID: 'c1', ifName: 'eth0', netns: '/run/netns/c1', args: 'K=V' },
      ...{ capabilityArgs: newObject([['ips', ['10.0.0.1']]]), config: '{"name":"net"}', result: undefined },
    },
  ],
};

/** What is waited for, as far as it came in a moment in which it would have come. */
async function soon<T>(promise: Promise<T>): Promise<T | 'waits'> {
  return Promise.race([promise, Bun.sleep(150).then(() => 'waits' as const)]);
}

function abandoned(): string[] {
  return [...Claim.abandoned(folder)].map((claim) => {
    claim.abandon();
    return claim.path.slice(folder.length + 1);
  });
}

test('a claim is a file, for as long as it is held', async () => {
  const claim = await Claim.take(folder, 'net-c1-eth0');
  expect(readdirSync(folder)).toEqual(['net-c1-eth0']);
  const modes = [folder, claim.path].map((path) => (statSync(path).mode & 0o777).toString(8));
  expect(modes).toEqual(['700', '600']);
  expect(claim.left).toBeUndefined();
  claim.release();
  expect(readdirSync(folder)).toEqual([]);
});

test('one at a time has it; the others are none the wiser for its end', async () => {
  const first = await Claim.take(folder, 'a');
  const another = await Claim.take(folder, 'b');
  const second = Claim.take(folder, 'a');
  const third = Claim.take(folder, 'a');
  expect(await soon(Promise.race([second, third]))).toBe('waits');
  first.begin(begun);
  first.release();
  const next = await Promise.race([second, third]);
  expect(next.left).toBeUndefined();
  expect(readdirSync(folder).sort()).toEqual(['a', 'b']);
  next.release();
  for (const claim of await Promise.all([second, third])) if (claim !== next) claim.release();
  another.release();
  expect(readdirSync(folder)).toEqual([]);
});

test('whoever waits can be ended', async () => {
  const claim = await Claim.take(folder, 'a');
  const controller = new AbortController();
  const waiting = Claim.take(folder, 'a', { signal: controller.signal });
  controller.abort(new Error('ended by SIGTERM'));
  await expect(waiting).rejects.toThrow('ended by SIGTERM');
  claim.release();
});

test('what was begun and not ended is there for the next one, and says since when', async () => {
  const killed = await Claim.take(folder, 'a');
  killed.begin({ attachments: [], cniPath: 'of before, and longer than the other: /opt/cni/bin' });
  const before = Date.now();
  killed.begin({ ...begun, netns: '/run/netns/scratch' });
  killed.abandon();
  const { left, ...claim } = await Claim.take(folder, 'a');
  const { since, ...rest } = left ?? { since: new Date(0) };
  expect(rest).toEqual({ ...begun, netns: '/run/netns/scratch' });
  expect(Math.abs(since.getTime() - before)).toBeLessThan(5000);
  expect(claim.path).toBe(`${folder}/a`);
});

test('what is not whole was not begun', async () => {
  const claim = await Claim.take(folder, 'a');
  claim.begin(begun);
  const text = readFileSync(claim.path);
  claim.abandon();
  for (let length = 0; length < text.length; length += 1) {
    writeFileSync(claim.path, text);
    truncateSync(claim.path, length);
    const next = await Claim.take(folder, 'a');
    expect(next.left).toBeUndefined();
    next.abandon();
  }
  for (const other of ['[]', '{"attachments":[{}]}', '{"attachments":1}']) {
    writeFileSync(claim.path, other);
    expect(abandoned()).toEqual([]);
  }
});

test('abandoned are those that nobody holds; what begins nothing is removed', async () => {
  expect(abandoned()).toEqual([]);
  const [held, left, nothing] = await Promise.all(
    ['held', 'left', 'nothing'].map((name) => Claim.take(folder, name)),
  );
  held?.begin(begun);
  left?.begin(begun);
  left?.abandon();
  nothing?.abandon();
  expect(abandoned()).toEqual(['left']);
  expect(readdirSync(folder).sort()).toEqual(['held', 'left']);
  held?.release();
});

test('of those abandoned, one is taken at a time: its end may need another', async () => {
  for (const name of ['a', 'b', 'c']) {
    const claim = await Claim.take(folder, name);
    claim.begin(begun);
    claim.abandon();
  }
  const seen: string[] = [];
  for (const claim of Claim.abandoned(folder)) {
    seen.push(claim.path.slice(-1));
    if (claim.path.endsWith('a')) (await Claim.take(folder, 'c')).release();
    claim.release();
  }
  expect(seen).toEqual(['a', 'b']);
  expect(readdirSync(folder)).toEqual([]);
});

test('a plugin that runs on holds it beyond the end of its caller', async () => {
  const claim = await Claim.take(folder, 'a');
  claim.begin(begun);
  const plugin = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore', claim.fd] });
  await once(plugin, 'spawn');
  claim.abandon();
  expect(abandoned()).toEqual([]);
  const waiting = Claim.take(folder, 'a');
  expect(await soon(waiting)).toBe('waits');
  plugin.stdin?.end();
  const next = await waiting;
  expect(next.left?.attachments).toEqual(begun.attachments);
  next.release();
});

test('many may share one; whoever wants it alone waits for all, and they for him', async () => {
  const shared = await Promise.all([1, 2, 3].map(() => Claim.take(folder, '@net', { share: 'shared' })));
  const alone = Claim.take(folder, '@net');
  for (const claim of shared) {
    expect(await soon(alone)).toBe('waits');
    expect(readdirSync(folder)).toEqual(['@net']);
    claim.release();
  }
  const one = await alone;
  const after = Claim.take(folder, '@net', { share: 'shared' });
  expect(await soon(after)).toBe('waits');
  one.release();
  (await after).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a link in its place is not followed', async () => {
  (await Claim.take(folder, 'a')).release();
  symlinkSync(`${scratch.path}/elsewhere`, `${folder}/a`);
  await expect(Claim.take(folder, 'a')).rejects.toThrow(
    `open "${folder}/a": Too many levels of symbolic links`,
  );
  expect(readdirSync(scratch.path)).toEqual(['cache']);
});
