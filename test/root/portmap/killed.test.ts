import { describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import type { Pod } from '../site.ts';
import { difference } from '../snapshot.ts';
import { type Mapping, mapping, Published } from './published.ts';

const mappingsOf = (index: number): Mapping[] => [
  mapping(10_000 + index, 80),
  mapping(10_000 + index, 53, { protocol: 'udp', hostIP: '192.0.2.1' }),
];

/** For a machine that is slow and busy. */
const patienceMs = 300_000;

describe.if(requires('root', 'ip', 'nft'))('killed at a random moment (ours)', () => {
  test.each([
    ['DEL of both', false],
    ['GC of both', true],
  ])(
    '50 ADDs of bridge and portmap, then %s: nothing is left, and all can be added again',
    async (_, byGc) => {
      using published = new Published({ ipMasq: true });
      const { site, network } = published;
      const before = await published.warmUp();
      const portmap = { cniVersion: '1.1.0', name: 'net', type: 'portmap' };
      const pods = Array.from({ length: 50 }, (_, index) => site.pod(`p${index}`));

      const startedAt = performance.now();
      const timed = await published.attach('timed');
      const bridgeMs = performance.now() - startedAt;
      await published.publish(timed, mappingsOf(99));
      const portmapMs = performance.now() - startedAt - bridgeMs;
      await published.withdraw(timed, []);
      await published.detach(timed);

      let killed = 0;
      await inTurns(pods, async (pod, index) => {
        const killAt = (ms: number) => ({
          pod,
          started: (child: { kill(signal: 'SIGKILL'): unknown }) => {
            setTimeout(() => child.kill('SIGKILL'), ms);
          },
        });
        // A third of them in bridge, the others in portmap.
        const inBridge = index % 3 === 0;
        const bridge = inBridge ? killAt(Math.random() * bridgeMs) : { pod };
        const attached = await site.call('ADD', network, bridge);
        if (attached.signal === 'SIGKILL') killed += 1;
        if (attached.status !== 0) return;
        const runtimeConfig = { portMappings: mappingsOf(index) };
        const conf = { ...portmap, runtimeConfig, prevResult: JSON.parse(attached.stdout) };
        const call = killAt((Math.random() * 1.2 + 0.1) * portmapMs);
        const { signal } = await site.call('ADD', conf, inBridge ? { pod } : call);
        if (signal === 'SIGKILL') killed += 1;
      });
      // Otherwise this was no test of it.
      expect(killed).toBeGreaterThan(10);

      if (byGc) {
        for (const conf of [portmap, network]) {
          const gc = await site.call('GC', { ...conf, 'cni.dev/valid-attachments': [] });
          expect(gc).toMatchObject({ status: 0 });
        }
      } else {
        await inTurns(pods, async (pod) => {
          await site.del(portmap, { pod });
          await site.del(network, { pod });
        });
      }
      expect(difference(before, site.snapshot())).toEqual([]);
      await inTurns(pods.slice(0, 5), async (pod, index) => {
        await published.publish(await published.attach(pod), mappingsOf(index));
      });
    },
    patienceMs,
  );
});

/** All of them, four at a time. */
async function inTurns(pods: readonly Pod[], run: (pod: Pod, index: number) => Promise<unknown>) {
  const waiting = pods.map((pod, index) => ({ pod, index }));
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await run(next.pod, next.index);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
