import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { requires } from '../../requirements.ts';
import { type Call, type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

/** How many calls run at once, so that killed ones also leave others waiting for them. */
const atOnce = 4;

/** For a machine that is slow and busy: hundreds of calls. */
const patienceMs = 300_000;

const setting = (site: Site): Json =>
  site.configuration({
    cniVersion: '1.1.0',
    isGateway: true,
    ipMasq: true,
    macspoofchk: true,
    ipam: site.ipam(['10.50.0.0/16', 'fd00:50::/64'], { routes: [{ dst: '0.0.0.0/0' }] }),
  });

// The reference leaves links, leases and rules in all of these.
describe.if(requires('root', 'ip', 'nft'))('killed at a random moment (ours)', () => {
  const ends: [number, string, (site: Site, pod: Pod, index: number) => Call][] = [
    [100, 'DEL', (_, pod) => ({ pod })],
    [
      50,
      'DEL without CNI_NETNS, or when the namespace is gone',
      (site, pod, index) => {
        if (index % 2 === 0) return { pod, netns: '' };
        site.removeNamespace(pod);
        return { pod };
      },
    ],
  ];

  test.each(ends)(
    '%i ADDs and as many DELs, then %s, and GC: nothing is left',
    async (count, _, end) => {
      using site = new Site();
      const configuration = setting(site);
      const before = await site.warmUp(configuration);
      const pods = Array.from({ length: 2 * count + 8 }, (_, index) => site.pod(`p${index}`));
      const [added, deleted] = [pods.slice(0, count), pods.slice(count)];
      // First those who are deleted, undisturbed; how long they take says when to kill the others.
      const addMs = await duration(deleted, (pod) => site.add(configuration, { pod }));
      const killedAdds = await killAll(added, addMs, (pod, call) =>
        site.call('ADD', configuration, { ...call, pod }),
      );
      const delMs = await duration(deleted.splice(0, 8), (pod) => site.del(configuration, { pod }));
      const killedDels = await killAll(deleted, delMs, (pod, call) =>
        site.call('DEL', configuration, { ...call, pod }),
      );
      // Otherwise this was no test of it.
      expect(killedAdds).toBeGreaterThan(10);
      expect(killedDels).toBeGreaterThan(10);

      await inTurns([...added, ...deleted], (pod, index) => site.del(configuration, end(site, pod, index)));
      const gc = await site.call('GC', { ...configuration, 'cni.dev/valid-attachments': [] });
      expect(gc).toMatchObject({ status: 0 });
      expect(difference(before, site.snapshot())).toEqual([]);
      for (const { netns } of pods.filter(({ netns }) => existsSync(netns)))
        expect(site.links(netns)).toEqual(['lo']);
      const next = await site.add(configuration, { pod: site.pod('next') });
      expect(next.ips).toHaveLength(2);
    },
    patienceMs,
  );

  test(
    '30 ADDs, then GC alone: nothing is left, and each can be added again',
    async () => {
      using site = new Site();
      const configuration = setting(site);
      const before = await site.warmUp(configuration);
      const pods = Array.from({ length: 30 }, (_, index) => site.pod(`p${index}`));
      const addMs = await duration([site.pod('timed')], (pod) => site.add(configuration, { pod }));
      await killAll(pods, addMs, (pod, call) => site.call('ADD', configuration, { ...call, pod }));
      expect(await site.call('GC', { ...configuration, 'cni.dev/valid-attachments': [] })).toMatchObject({
        status: 0,
      });
      expect(difference(before, site.snapshot())).toEqual([]);
      await inTurns(pods.slice(0, 10), (pod) => site.add(configuration, { pod }));
    },
    patienceMs,
  );

  test('the first ADDs on a node: what comes after works, and leaves bridge, tables and forwarding alone', async () => {
    for (let round = 1; round <= 8; round += 1) {
      using site = new Site();
      const before = site.snapshot();
      const configuration = setting(site);
      const pod = site.pod('pod');
      await killAfter(round * 2, (call) => site.call('ADD', configuration, { ...call, pod }));
      await site.del(configuration, { pod });
      await site.add(configuration, { pod });
      await site.del(configuration, { pod });
      await site.call('GC', { ...configuration, 'cni.dev/valid-attachments': [] });
      site.onNode('ip', 'link', 'del', 'cni0');
      const infrastructure =
        /^[+-] (sysctl ipv[46]\/\S*forward\S*=|sysctl ipv4\/conf\/all\/accept_redirects=|lock net free$|lease net last_reserved_ip|nft (table|chain|map|set|rule) )/;
      const left = difference(before, site.snapshot());
      expect(left.filter((line) => !infrastructure.test(line))).toEqual([]);
      expect(left.filter((line) => line.startsWith('+ nft')).join('\n')).not.toMatch(
        /10\.50\.|fd00:50|"elem"/,
      );
    }
  });
});

/** How long one call takes, in milliseconds, when `atOnce` run at once: the mean of all. */
async function duration(pods: readonly Pod[], call: (pod: Pod) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await inTurns(pods, call);
  return ((performance.now() - startedAt) / pods.length) * Math.min(atOnce, pods.length);
}

/** Kills each at another part of the duration, a little longer than all of it; how many did not end before. */
async function killAll(
  pods: readonly Pod[],
  durationMs: number,
  call: (pod: Pod, keys: Call) => Promise<{ signal: string | null }>,
): Promise<number> {
  let killed = 0;
  await inTurns(pods, async (pod, index) => {
    const part = (index + Math.random()) / pods.length;
    const { signal } = await killAfter(part * durationMs * 1.1, (keys) => call(pod, keys));
    if (signal === 'SIGKILL') killed += 1;
  });
  return killed;
}

async function killAfter<T>(afterMs: number, call: (keys: Call) => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await call({
      started: (child) => {
        timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
      },
    });
  } finally {
    clearTimeout(timer);
  }
}

/** All of them in random order, `atOnce` at a time. */
async function inTurns(
  pods: readonly Pod[],
  run: (pod: Pod, index: number) => Promise<unknown>,
): Promise<void> {
  const waiting = pods
    .map((pod, index) => ({ pod, index, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank);
  const worker = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await run(next.pod, next.index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
