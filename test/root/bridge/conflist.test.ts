import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { ours } from '../implementations.ts';
import { addressSeenBy, answersPing, Server } from '../packets.ts';
import { type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: a conflist and an answer are read as JSON.
type Json = any;

const folder = join(import.meta.dir, '../../..');

/** A file of conflists/ with leases of the site's own. */
function conflist(site: Site, name: string): string {
  const document = JSON.parse(readFileSync(join(folder, 'conflists', name), 'utf8'));
  for (const { ipam } of document.plugins) if (ipam) ipam.dataDir = site.leases;
  return JSON.stringify(document);
}

/** What the list answered on the node: a result, `null`, or an error. Only our plugins are found. */
function chain(site: Site, command: string, list: string, pod: Pod, result: unknown = null): Json {
  const runtime = {
    containerID: pod.name,
    netns: pod.netns,
    ifName: 'eth0',
    args: '',
    capabilityArgs: { portMappings: [{ hostPort: 7777, containerPort: 7000, protocol: 'tcp' }] },
    cniPath: ours.folder,
    timeoutMs: 60_000,
  };
  const words = [command, list, JSON.stringify(runtime), JSON.stringify(result)];
  return JSON.parse(site.onNode(process.execPath, join(import.meta.dir, '../chain-run.ts'), ...words));
}

describe.if(requires('root', 'ip', 'nft', 'ping'))(
  'bridge in a network list, with nothing but our plugins',
  () => {
    test.each(['60-bridge.conflist', '61-bridge-dual-stack.conflist'])('%s', async (file) => {
      using site = new Site();
      site.addOutside();
      const list = conflist(site, file);
      const [warm, pod] = [site.pod('warm'), site.pod('pod')];
      chain(site, 'del', list, warm, chain(site, 'add', list, warm));
      const before = site.snapshot();

      const result = chain(site, 'add', list, pod);
      expect(result.ips).toHaveLength(file.startsWith('61') ? 2 : 1);
      for (const { gateway } of result.ips) expect(answersPing(pod.netns, gateway)).toBeTrue();
      using _server = await Server.start(site.outside);
      expect(addressSeenBy('192.0.2.2', pod.netns)).toBe('192.0.2.1');
      expect(chain(site, 'check', list, pod, result)).toBeNull();
      expect(chain(site, 'del', list, pod, result)).toBeNull();
      expect(chain(site, 'del', list, pod, result)).toBeNull();
      expect(difference(before, site.snapshot())).toEqual([]);
    });

    test('64-bridge-portmap.conflist: a host port, from outside and from the container itself', async () => {
      using site = new Site();
      site.addOutside();
      const list = conflist(site, '64-bridge-portmap.conflist');
      const [warm, pod] = [site.pod('warm'), site.pod('pod')];
      chain(site, 'del', list, warm, chain(site, 'add', list, warm));
      const before = site.snapshot();

      const result = chain(site, 'add', list, pod);
      using _server = await Server.start(pod.netns);
      expect(addressSeenBy('192.0.2.1', site.outside, 7777)).toBe('192.0.2.2');
      expect(addressSeenBy('192.0.2.1', pod.netns, 7777)).toBe('10.29.0.1');
      expect(chain(site, 'check', list, pod, result)).toBeNull();
      expect(chain(site, 'del', list, pod, result)).toBeNull();
      expect(difference(before, site.snapshot())).toEqual([]);
    });

    test('62-bridge-layer-2.conflist: addresses are the containers’ own affair', () => {
      using site = new Site();
      const list = conflist(site, '62-bridge-layer-2.conflist');
      const pods = [site.pod('one'), site.pod('two')] as const;
      const results: Json[] = [];
      for (const [index, pod] of pods.entries()) {
        results.push(chain(site, 'add', list, pod));
        site.inPod(pod, 'ip', 'addr', 'add', `10.27.0.${index + 1}/24`, 'dev', 'eth0');
        expect(chain(site, 'check', list, pod, results[index])).toBeNull();
      }
      expect(answersPing(pods[0].netns, '10.27.0.2')).toBeTrue();
      for (const [index, pod] of pods.entries()) {
        expect(chain(site, 'del', list, pod, results[index])).toBeNull();
        expect(site.links(pod.netns)).toEqual(['lo']);
      }
      expect(site.links()).toEqual(['lo', 'wire0']);
    });
  },
);
