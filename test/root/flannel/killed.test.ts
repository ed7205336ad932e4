import { describe, expect, test } from 'bun:test';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../../src/kernel/file-lock.ts';
import { requires } from '../../requirements.ts';
import type { Pod } from '../site.ts';
import { difference } from '../snapshot.ts';
import { Fabric } from './fabric.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

/** ADD that is killed when its state is written and its delegate waits for the leases, where it begins. */
async function killBetween(fabric: Fabric, configuration: Json, pod: Pod): Promise<void> {
  const lock = join(fabric.leases, 'net', 'lock');
  const fd = openSync(lock, 'r');
  lockFile(fd, { path: lock, timeoutMs: 30_000 });
  try {
    let child: ChildProcess | undefined;
    const started = (process: ChildProcess) => {
      child = process;
    };
    const answer = fabric.call('ADD', configuration, { pod, started });
    const deadline = Date.now() + 30_000;
    while (!existsSync(join(fabric.dataDir, `${pod.name}:eth0`)) && Date.now() < deadline) await Bun.sleep(5);
    child?.kill('SIGKILL');
    expect(await answer).toMatchObject({ signal: 'SIGKILL' });
    expect(fabric.states()).toEqual([`${pod.name}:eth0`]);
  } finally {
    closeSync(fd);
  }
}

/** ADD that is killed after a time. */
async function killAfter(fabric: Fabric, configuration: Json, pod: Pod, afterMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const started = (child: ChildProcess) => {
    timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  };
  const { signal } = await fabric.call('ADD', configuration, { pod, started });
  clearTimeout(timer);
  return signal === 'SIGKILL';
}

describe.if(requires('root', 'ip', 'nft'))('an ADD that is killed', () => {
  const kinds: [string, (fabric: Fabric) => Json][] = [
    ['flannel', (fabric) => fabric.flannel()],
    ['debug with flannel as its delegate', (fabric) => fabric.wrapped()],
  ];

  test.each(kinds)(
    'between state and delegate leaves nothing after DEL, or GC: %s',
    async (_, configurationOf) => {
      using fabric = new Fabric();
      const configuration = configurationOf(fabric);
      const before = await fabric.warmUp(configuration);
      for (const end of ['DEL', 'GC']) {
        const pod = fabric.pod(`pod-${end}`);
        await killBetween(fabric, configuration, pod);
        if (end === 'DEL') await fabric.del(configuration, { pod });
        else {
          const gc = await fabric.call('GC', { ...configuration, 'cni.dev/valid-attachments': [] });
          expect(gc).toMatchObject({ status: 0 });
        }
        expect(difference(before, fabric.snapshot())).toEqual([]);
        expect(fabric.links(pod.netns)).toEqual(['lo']);
      }
    },
  );

  test.each(kinds)('at any moment leaves nothing after DEL: %s', async (_, configurationOf) => {
    using fabric = new Fabric();
    const configuration = configurationOf(fabric);
    const before = await fabric.warmUp(configuration);
    const startedAt = performance.now();
    await fabric.add(configuration, { pod: fabric.pod('timed') });
    let longestMs = performance.now() - startedAt;
    await fabric.del(configuration, { containerID: 'timed', netns: '' });
    // One that was not killed in time was no test: the next has less.
    for (let killed = 0, index = 0; killed < 16; index += 1) {
      const pod = fabric.pod(`p${index}`);
      if (await killAfter(fabric, configuration, pod, Math.random() * longestMs)) killed += 1;
      else longestMs *= 0.9;
      await fabric.del(configuration, index % 2 === 0 ? { pod } : { pod, netns: '' });
    }
    expect(difference(before, fabric.snapshot())).toEqual([]);
  });

  test('by SIGTERM keeps its state, when the addresses of its bridge were not given back', async () => {
    using fabric = new Fabric();
    const pod = fabric.pod('pod');
    const { folder } = fabric.scratch;
    const running = join(folder, 'running');
    const script = `#!/bin/sh\necho $CNI_COMMAND >> ${folder}/asked\n`;
    writeFileSync(
      join(folder, 'slow'),
      `${script}[ $CNI_COMMAND = DEL ] || { touch ${running}; exec sleep 60; }\n`,
      {
        mode: 0o755,
      },
    );
    const call = { pod, searched: [folder] };
    let child: ChildProcess | undefined;
    const started = (process: ChildProcess) => {
      child = process;
    };
    const answer = fabric.call('ADD', fabric.flannel({ ipam: { type: 'slow' } }), { ...call, started });
    while (!existsSync(running)) await Bun.sleep(5);
    child?.kill('SIGTERM');
    expect(await answer).toMatchObject({ status: 1 });
    expect(fabric.states()).toEqual(['pod:eth0']);
    await fabric.del(fabric.flannel(), call);
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('ADD\nDEL\n');
    expect(fabric.states()).toEqual([]);
  });

  test('or that cannot undo itself keeps its state', async () => {
    using fabric = new Fabric();
    const pod = fabric.pod('pod');
    const { folder } = fabric.scratch;
    writeFileSync(join(folder, 'broken'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const configuration = fabric.flannel({ ipam: { type: 'broken' } });
    expect(await fabric.fail('ADD', configuration, { pod, searched: [folder] })).toMatchObject({ code: 101 });
    expect(fabric.states()).toEqual(['pod:eth0']);
  });
});
