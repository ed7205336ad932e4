import { describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { Site } from '../site.ts';
import { difference } from '../snapshot.ts';

describe.if(requires('root', 'ip', 'nft'))('200 containers', () => {
  test('all added at once, then all deleted at once', async () => {
    using site = new Site();
    const ipam = site.ipam(['10.50.0.0/16', 'fd00:50::/64']);
    const configuration = site.configuration({ isGateway: true, ipMasq: true, ipam });
    const before = await site.warmUp(configuration);
    const pods = Array.from({ length: 200 }, (_, index) => site.pod(`p${index}`));
    const results = await Promise.all(pods.map((pod) => site.add(configuration, { pod })));
    for (const index of [0, 1]) {
      expect(new Set(results.map(({ ips }) => ips[index].address)).size).toBe(200);
    }
    expect(site.leased()).toHaveLength(400);
    expect(site.links().filter((name) => name.startsWith('veth'))).toHaveLength(200);
    await Promise.all(
      pods.map((pod, index) => site.del({ ...configuration, prevResult: results[index] }, { pod })),
    );
    expect(difference(before, site.snapshot())).toEqual([]);
    for (const pod of pods) expect(site.links(pod.netns)).toEqual(['lo']);
    // 400 calls, on a machine that may be slow and busy.
  }, 300_000);

  test('that fill a pool, with more who want to: each address once, and the others are told', async () => {
    using site = new Site();
    const configuration = site.configuration({ ipam: site.ipam(['10.50.0.0/28']) });
    await site.warmUp(configuration);
    const pods = Array.from({ length: 20 }, (_, index) => site.pod(`p${index}`));
    const answers = await Promise.all(pods.map((pod) => site.call('ADD', configuration, { pod })));
    const added = answers
      .filter(({ status }) => status === 0)
      .map(({ stdout }) => JSON.parse(stdout).ips[0].address);
    expect(added).toHaveLength(13);
    expect(new Set(added).size).toBe(13);
    for (const { stdout } of answers.filter(({ status }) => status !== 0)) {
      expect(stdout).toContain('no IP addresses available in range set: 10.50.0.1-10.50.0.14');
    }
    expect(site.links().filter((name) => name.startsWith('veth'))).toHaveLength(13);
  });
});
