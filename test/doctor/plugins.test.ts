import { describe, expect, test } from 'bun:test';
import type { OperatorNode } from '../cli/operator-node.ts';
import {
  ago,
  canRun,
  diagnosis,
  doctor,
  findings,
  journal,
  ofOther,
  script,
  soundNode,
  wrapping,
} from './doctor-node.ts';

/** Network `odd` of a plugin with this body, and a pod `guest` that was attached to it as far as that went. */
async function attached(body: string, plugin: object = {}): Promise<OperatorNode> {
  const node = await soundNode();
  await script(node, 'odd', body);
  node.configure('20-odd.conflist', wrapping('odd', { type: 'odd', ...plugin }));
  await node.pod('guest');
  await node.type('add odd guest --container-id guest');
  return node;
}

const onAdd = (body: string) => `[ "$CNI_COMMAND" = ADD ] || exit 0\n${body}`;
const result = '{"cniVersion": "1.1.0", "ips": []}';

describe.if(canRun)('plugins that misbehave', () => {
  test.each([
    ['killed', 'kill -9 $$', 'D009', 'was killed by SIGKILL during ADD'],
    ['a crash', 'kill -SEGV $$', 'D009', 'was killed by SIGSEGV during ADD'],
    [
      'a status and no error',
      'echo "no such file" >&2; exit 3',
      'D009',
      'exited with status 3 on ADD and printed no error',
    ],
    ['nothing', 'exit 0', 'D010', 'exited with status 0 on ADD but printed no result'],
    [
      'a log line before',
      `echo starting; echo '${result}'`,
      'D010',
      'exited with status 0 on ADD and printed something before its JSON',
    ],
    [
      'twice',
      `echo '${result}'; echo '${result}'`,
      'D010',
      'exited with status 0 on ADD and printed two JSON values',
    ],
    [
      'cut off',
      'printf \'{"cniVersion": "1.1.0", "ips\'',
      'D010',
      'exited with status 0 on ADD and printed what is not JSON',
    ],
    [
      'an error with status 0',
      'echo \'{"code": 100, "msg": "no"}\'',
      'D010',
      'exited with status 0 on ADD but printed an error',
    ],
  ])('%s', async (_, body, id, cause) => {
    await using node = await attached(onAdd(body));
    expect(await diagnosis(node)).toEqual([`${id} plugin odd`, '  D012 container guest eth0']);
    const [found] = await findings(node);
    expect(found?.severity).toBe('error');
    expect(found?.cause).toStartWith(cause);
    const record = await node.sh(found!.fix[0]!);
    expect(record).toContain(found!.cause.slice(0, 30));
    await node.sh('rm -r /var/log/cni-debug');
    expect(await diagnosis(node)).toEqual([]);
  });

  test('the error that a plugin reports is its own, and not a crash', async () => {
    const error = '{"cniVersion": "1.1.0", "code": 100, "msg": "no such VLAN"}';
    await using node = await attached(onAdd(`echo '${error}'; exit 1`));
    expect(await diagnosis(node)).toEqual(['D012 container guest eth0']);
    expect((await findings(node))[0]?.cause).toBe('ADD to network "odd" failed with code 100: no such VLAN');
  });

  test('one that was replaced since says nothing any more', async () => {
    await using node = await attached(onAdd('kill -9 $$'));
    await node.sh(
      'ip netns del guest; cp /opt/cni/bin/odd /opt/cni/bin/.new; mv /opt/cni/bin/.new /opt/cni/bin/odd',
    );
    expect(await diagnosis(node)).toEqual([]);
  });

  test('one that has gone well since is a warning, and for an hour', async () => {
    await using node = await soundNode();
    const crash = 'plugin "gone" (/opt/cni/bin/gone) was killed by SIGKILL during ADD';
    const bad = { ...call(1800), delegates: [{ type: 'gone', command: 'ADD', failure: crash }] };
    const good = { ...call(60), delegates: [{ type: 'gone', command: 'ADD', duration: 5 }] };
    await journal(node, [bad, good]);
    expect((await findings(node))[0]).toMatchObject({
      id: 'D009',
      severity: 'warning',
      object: 'plugin gone',
    });
    await journal(node, [{ ...bad, startedAt: ago(3700) }, good]);
    expect(await diagnosis(node)).toEqual([]);
    await journal(node, [{ ...bad, startedAt: ago(3700) }]);
    expect((await findings(node))[0]).toMatchObject({ id: 'D009', severity: 'error' });
    await journal(node, [{ ...bad, startedAt: ago(25 * 3600) }]);
    expect(await diagnosis(node)).toEqual([]);
    await journal(node, [bad, bad, { ...good, network: 'other' }]);
    expect((await findings(node))[0]).toMatchObject({
      severity: 'error',
      cause: expect.stringContaining('so 2 times'),
    });
  });

  test('below the executable that is the reason', async () => {
    await using node = await attached(onAdd('exit 0'));
    await node.sh('printf "\\177ELF" >/opt/cni/bin/odd');
    node.write('/etc/cni/net.d/20-odd.conflist', wrapping('odd', { type: 'odd', external: true }));
    await node.type('add odd guest --container-id guest');
    expect((await diagnosis(node))[0]).toBe('D015 plugin odd');
    expect(await diagnosis(node)).toContain('  D009 plugin odd');
  });
});

describe.if(canRun)('plugins that are slow', () => {
  test('the one that waits, and not the one that called it', async () => {
    await using node = await soundNode();
    await script(node, 'waits', '[ "$CNI_COMMAND" = ADD ] && sleep 4.1\nexec /opt/cni/reference/host-local');
    const ipam = { type: 'waits', subnet: '10.51.0.0/24' };
    node.configure('20-slow.conflist', wrapping('slow', { type: 'bridge', bridge: 'br-slow', ipam }));
    await node.pod('guest');
    await node.typed('add slow guest --container-id guest');
    expect(await diagnosis(node)).toEqual(['D011 plugin waits']);
    const [found] = await findings(node);
    expect(found?.cause).toBe('ADD takes p50 4.1 s, p95 4.1 s (1 call in the last 24 h)');
    expect(await node.sh(found!.evidence[0]!.source)).toContain('ipam ADD waits');
  });

  /** Calls of one delegate, which take so many ms. */
  const calls = (durations: readonly number[], seconds = 7200) =>
    durations.map((duration, index) => ({
      ...call(seconds - index),
      duration: duration + 1,
      delegates: [{ type: 'lab-plugin', command: 'ADD', at: 0.5, duration }],
    }));

  test.each([
    ['half of three', [10, 2100, 2200], 'ADD takes p50 2.1 s, p95 2.2 s (3 calls in the last 24 h)'],
    ['one of three', [10, 10, 2200], undefined],
    ['one of two', [10, 3900], undefined],
    [
      'two of twenty',
      [...Array(18).fill(10), 2100, 2100],
      'ADD takes p50 10 ms, p95 2.1 s (20 calls in the last 24 h)',
    ],
    ['one of twenty', [...Array(19).fill(10), 2100], undefined],
    ['a very slow one, two hours ago', [10, 9000], undefined],
  ])('%s', async (_, durations, cause) => {
    await using node = await soundNode();
    await journal(node, calls(durations));
    expect((await findings(node)).map((found) => found.cause)).toEqual(cause === undefined ? [] : [cause]);
  });

  test('a very slow one of this hour; debug itself, by its hooks; yesterday’s not', async () => {
    await using node = await soundNode();
    await journal(node, calls([10, 4100], 60));
    expect(await diagnosis(node)).toEqual(['D011 plugin lab-plugin']);
    await journal(node, [{ ...call(60), duration: 5000, hooks: [{ argv: ['sleep', '5'], duration: 4990 }] }]);
    expect(await diagnosis(node)).toEqual(['D011 plugin debug']);
    await journal(node, calls([9000, 9000, 9000], 25 * 3600));
    expect(await diagnosis(node)).toEqual([]);
    await journal(node, calls([9000, 9000, 9000]));
    expect(await diagnosis(node, `${doctor} ${ofOther(node)}`)).toEqual([]);
  });
});

/** A call of the pod that is there, so that it has not failed. */
function call(secondsAgo: number): object {
  const attachment = { containerID: 'web', ifName: 'eth0', netns: '/var/run/netns/web' };
  return { startedAt: ago(secondsAgo), command: 'ADD', network: 'lab', attachment, duration: 20 };
}
