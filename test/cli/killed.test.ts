import { describe, expect, test } from 'bun:test';
import type { Run } from '../program.ts';
import { requires } from '../requirements.ts';
import { difference } from '../root/snapshot.ts';
import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';

/** Sends a signal some time after the start. A process that has ended by then got none. */
function after(ms: number, signal: NodeJS.Signals): Run {
  return {
    started: (pid) =>
      setTimeout(() => {
        try {
          process.kill(pid, signal);
        } catch {
          // It was faster.
        }
      }, ms),
  };
}

/** Many calls, one after the other: on a node that is busy with something else they take their time. */
const patienceMs = 300_000;

/** So that moments are spread over all that a call does, whatever the machine. */
async function durationOf(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}

async function lab(): Promise<OperatorNode> {
  const node = await OperatorNode.start();
  // As a plugin of the reference is executed: what it does goes on when its caller is killed.
  await node.sh('mkdir /opt/cni/mixed');
  await node.sh('ln -s ../reference/bridge ../reference/host-local /opt/cni/mixed');
  node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin, { type: 'portmap' }]));
  await node.pod('web');
  return node;
}

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))('killed in the middle', () => {
  test.each([
    ['ours', '/opt/cni/bin'],
    ['the reference', '/opt/cni/mixed:/opt/cni/bin'],
  ])(
    'add, then again: nothing is lost, nothing is left (%s)',
    async (_, pluginDir) => {
      await using node = await lab();
      const environment = { CNI_PATH: pluginDir };
      await node.typed('add lab web', { environment });
      await node.typed('del lab web', { environment });
      const before = await node.snapshot();
      const longest = await durationOf(() => node.typed('add lab web', { environment }));
      await node.typed('del lab web', { environment });
      let killed = 0;
      for (let moment = 0; moment < 12; moment += 1) {
        const { signal } = await node.type('add lab web', {
          environment,
          ...after((longest * moment) / 12, 'SIGKILL'),
        });
        if (signal === 'SIGKILL') {
          killed += 1;
          const again = await node.type('add lab web', { environment });
          expect([moment, again.status, again.stderr]).toEqual([moment, 0, expect.any(String)]);
        }
        await node.typed('check lab web', { environment });
        await node.typed('del lab web', { environment });
        expect(difference(before, await node.snapshot())).toEqual([]);
      }
      expect(killed).toBeGreaterThan(5);
    },
    patienceMs,
  );

  test(
    'exec, then again: nothing is left',
    async () => {
      await using node = await lab();
      await node.typed('exec lab -- true');
      const before = await node.snapshot();
      const longest = await durationOf(() => node.typed('exec lab -- true'));
      let killed = 0;
      for (let moment = 0; moment < 16; moment += 1) {
        const { signal } = await node.type('exec lab -- true', after((longest * moment) / 16, 'SIGKILL'));
        if (signal === 'SIGKILL') killed += 1;
        const again = await node.type('exec lab -- true');
        expect([moment, again.status]).toEqual([moment, 0]);
        expect(difference(before, await node.snapshot())).toEqual([]);
      }
      expect(killed).toBeGreaterThan(8);
    },
    patienceMs,
  );

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s at any moment leaves nothing',
    async (signal) => {
      await using node = await lab();
      await node.typed('exec lab -- true');
      const before = await node.snapshot();
      const longest = await durationOf(() => node.typed('exec lab -- true'));
      let answered = 0;
      for (let moment = 0; moment < 8; moment += 1) {
        const request = after(30 + (longest * moment) / 8, signal);
        const answer = await node.type('exec lab -- sleep 60', request);
        // Before it listens, a signal ends it as any other process; and nothing is begun then.
        if (answer.signal === null) answered += 1;
        expect(answer.status ?? 128).toBeGreaterThan(127);
        expect(difference(before, await node.snapshot())).toEqual([]);
      }
      expect(answered).toBeGreaterThan(3);
      const added = await node.type('add lab web', after(80, signal));
      if (added.status === 0) await node.typed('del lab web');
      expect(difference(before, await node.snapshot())).toEqual([]);
    },
    patienceMs,
  );
});

describe.if(requires('root', 'ip', 'nft'))('at once', () => {
  test('of 8 ADDs of one attachment, one is done', async () => {
    await using node = await lab();
    const answers = await Promise.all(Array.from({ length: 8 }, () => node.type('add lab web')));
    expect(answers.filter(({ status }) => status === 0)).toHaveLength(1);
    const refusals = answers.filter(({ status }) => status !== 0);
    for (const { stderr } of refusals) expect(stderr).toContain('by an earlier ADD to network "lab"');
    await node.typed('check lab web');
  });

  test('ADDs and DELs of one attachment take turns', async () => {
    await using node = await lab();
    await node.typed('add lab web');
    await node.typed('del lab web');
    const before = await node.snapshot();
    const words = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? 'add lab web' : 'del lab web'));
    const answers = await Promise.all(words.map((line) => node.type(line)));
    for (const { status, stderr } of answers) if (status !== 0) expect(stderr).toContain('by an earlier ADD');
    await node.typed('del lab web');
    expect(difference(before, await node.snapshot())).toEqual([]);
  });

  test('24 attachments of as many containers', async () => {
    await using node = await lab();
    await node.typed('add lab web');
    await node.typed('del lab web');
    const names = Array.from({ length: 24 }, (_, index) => `pod${index}`);
    for (const name of names) await node.pod(name);
    const before = await node.snapshot();
    await Promise.all(names.map((name) => node.typed(`add lab ${name}`)));
    expect((await node.typed('list')).split('\n').filter((line) => / alive /.test(line))).toHaveLength(24);
    await Promise.all(names.map((name) => node.typed(`del lab ${name}`)));
    expect(difference(before, await node.snapshot())).toEqual([]);
  });
});
