import { describe, expect, test } from 'bun:test';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, answered } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { Network, ours } from './network.ts';

/** Kills a call after some part of the time that it takes; resolves when it has ended. */
async function kill(network: Network, command: string, name: string, afterMs: number): Promise<void> {
  const started = (pid: number) => {
    setTimeout(() => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It was faster.
      }
    }, afterMs);
  };
  await network.call(ours, command, name, { started });
}

test('kill -9 at any moment leaves nothing that DEL does not remove', async () => {
  using network = new Network({ ranges: [[{ subnet: '10.1.0.0/28' }], [{ subnet: 'fd00::/64' }]] });
  const start = performance.now();
  await network.call(ours, 'ADD', 'first');
  const whole = performance.now() - start;
  for (let round = 0; round < 20; round += 1) {
    const name = `c${round}`;
    // A call does its work in the last third of its time.
    await kill(network, 'ADD', name, whole * (0.4 + Math.random() * 0.6));
    if (round % 2 === 0) await kill(network, 'DEL', name, whole * (0.4 + Math.random() * 0.6));
    expect(await network.call(ours, 'DEL', name)).toMatchObject({ status: 0, stdout: '' });
    expect(network.leases()).toEqual(['10.1.0.2', 'fd00::2']);
  }
  // And the pool is as good as before: all of it can be given out.
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => network.call(ours, 'ADD', `last${index}`)),
  );
  expect(answers.map((answer) => answered(answer).ips?.length)).toEqual(answers.map(() => 2));
  expect(await network.call(ours, 'DEL', 'first')).toMatchObject({ status: 0 });
});

/** A call under strace, which looks at nothing but the leases and the index. */
function traced(network: Network, command: string, words: string[]): Promise<Answer> {
  const { dev, ino } = statSync(network.directory);
  const index = `/run/cni-debug/host-local/${dev}-${ino}.index`;
  const numbers = Array.from({ length: 8 }, (_, number) => `10.1.0.${number}`);
  const files = ['.', 'lock', 'last_reserved_ip.0', ...numbers].map((file) => join(network.directory, file));
  const paths = [...files, index, `${index}.new`].flatMap((path) => ['-P', path]);
  return network.call(['strace', '-f', '-qq', ...paths, ...words, ...ours], command, 'a');
}

/** The system calls that change something, each with how many of its name there were up to it. */
async function changesOf(network: Network, command: string): Promise<[name: string, count: number][]> {
  const output = join(network.folder, 'strace');
  await traced(network, command, ['-o', output]);
  const names = [...readFileSync(output, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, name = '']) => name);
  return names
    .map((name, index): [string, number] => [
      name,
      names.slice(0, index + 1).filter((other) => other === name).length,
    ])
    .filter(([name]) => !/^(?:statx|pread64|getdents64|close)$/.test(name));
}

describe.if(requires('strace'))('killed behind each of its system calls', () => {
  test.each([
    ['ADD', 'with an index', 8],
    ['ADD', 'without one', 12],
    ['DEL', 'with an index', 7],
  ])('%s %s leaves nothing that is not known', async (command, how, least) => {
    using network = new Network({ subnet: '10.1.0.0/29' });
    const prepare = async () => {
      if (command === 'DEL') await network.call(ours, 'ADD', 'a');
      if (how === 'without one') network.write('last_reserved_ip.9', '');
    };
    await network.call(ours, 'ADD', 'other');
    await prepare();
    const changes = await changesOf(network, command);
    expect(changes.length).toBeGreaterThanOrEqual(least);
    await network.call(ours, 'DEL', 'a');
    for (const [name, count] of changes) {
      rmSync(join(network.directory, 'last_reserved_ip.9'), { force: true });
      await prepare();
      const inject = `inject=${name}:signal=KILL:when=${count}`;
      const { signal } = await traced(network, command, ['-o', '/dev/null', '-e', inject]);
      expect([name, count, signal]).toEqual([name, count, 'SIGKILL']);
      // What is known then is what is so.
      const has = network.leases().some((file) => network.read(file) === 'a\r\neth0');
      expect(await network.call(ours, 'CHECK', 'a')).toMatchObject({ status: has ? 0 : 1 });
      expect(await network.call(ours, 'CHECK', 'other')).toMatchObject({ status: 0 });
      expect(await network.call(ours, 'DEL', 'a')).toMatchObject({ status: 0, stdout: '' });
      expect(network.leases()).toEqual(['10.1.0.2']);
    }
  });
});
