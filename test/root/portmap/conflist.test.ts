import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { ours } from '../implementations.ts';
import { difference } from '../snapshot.ts';
import { Published } from './published.ts';

// biome-ignore lint/suspicious/noExplicitAny: a conflist and an answer are read as JSON.
type Json = any;

/** A file of conflists/ with leases and logs of the site's own. */
function conflist(published: Published, name: string): string {
  const { scratch, leases } = published.site;
  const document = JSON.parse(readFileSync(join(import.meta.dir, '../../../conflists', name), 'utf8'));
  for (const plugin of document.plugins) {
    if (plugin.type === 'debug') {
      Object.assign(plugin, { cniOutput: scratch.log, journal: { path: scratch.journal } });
    }
    for (const { ipam } of [plugin, plugin.delegate ?? []].flat()) if (ipam) ipam.dataDir = leases;
  }
  return JSON.stringify(document);
}

/** What the list answered on the node: a result, `null`, or an error. Only our plugins are found. */
function chain(published: Published, command: string, list: string, name: string, result: Json = null): Json {
  const runtime = {
    containerID: name,
    netns: published.site.node.replace(/node$/, name),
    ifName: 'eth0',
    args: '',
    capabilityArgs: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
    cniPath: ours.folder,
    timeoutMs: 60_000,
  };
  const words = [command, list, JSON.stringify(runtime), JSON.stringify(result)];
  const program = join(import.meta.dir, '../chain-run.ts');
  return JSON.parse(published.site.onNode(process.execPath, program, ...words));
}

describe.if(requires('root', 'ip', 'nft'))('portmap in a network list, with nothing but our plugins', () => {
  test.each(['10-bridge-debug-portmap.conflist', '50-debug-delegate-list.conflist'])('%s', async (file) => {
    using published = new Published();
    const { site } = published;
    const list = conflist(published, file);
    const [, pod] = [site.pod('warm'), site.pod('pod')];
    chain(published, 'del', list, 'warm', chain(published, 'add', list, 'warm'));
    const before = site.snapshot();

    const result = chain(published, 'add', list, 'pod');
    const [{ gateway }] = result.ips;
    await published.in(pod).serve('tcp', 80);
    const [outside, node, itself] = [published.in('outside'), published.in('node'), published.in(pod)];
    expect(await outside.ask('192.0.2.1', 8080)).toBe('pod sees 192.0.2.2');
    expect(await node.ask('127.0.0.1', 8080)).toBe(`pod sees ${gateway}`);
    expect(await itself.ask('192.0.2.1', 8080)).toBe(`pod sees ${gateway}`);
    await outside.serve('tcp', 7000);
    expect(await itself.ask('192.0.2.2', 7000)).toBe('outside sees 192.0.2.1');
    expect(chain(published, 'check', list, 'pod', result)).toBeNull();
    for (let time = 1; time <= 2; time += 1) {
      expect(chain(published, 'del', list, 'pod', result)).toBeNull();
      expect(difference(before, site.snapshot())).toEqual([]);
    }
    expect(await outside.refusal('192.0.2.1', 8080)).toBe('ECONNREFUSED');
  });
});
