import { describe, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { answered } from '../program.ts';
import { requires } from '../requirements.ts';
import { succeeded } from '../root/site.ts';
import { difference } from '../root/snapshot.ts';
import { type Container, ContainerdNode } from './containerd.ts';
import { further, lab } from './networks.ts';

const results = '/var/lib/cni/results';
const asCtr = ['--container-id', 'default-one'];

describe.if(requires('root', 'ip', 'nft', 'containerd', 'runc', 'ctr', 'busybox', 'reference-plugins'))(
  'what is cached',
  () => {
    test('by ctr, serves our CHECK and DEL; the DEL of ctr that comes later is no error', async () => {
      for (const cniVersion of ['0.4.0', '1.0.0']) {
        await using node = await ContainerdNode.start();
        node.configure(lab({ cniVersion }));
        const before = await settled(node);
        const one = await node.container('one');
        // libcni writes dns where there is none.
        const { dns, ...result } = entry(node, 'lab-default-one-eth0').result;
        expect(dns).toEqual({});

        succeeded(await node.cniDebug('check', 'lab', 'one', ...asCtr));
        expect(calls(node).at(-1)).toMatchObject({ command: 'CHECK', prevResult: result });
        await node.inNetworkOf(one, 'ip', 'address', 'flush', 'dev', 'eth0');
        const differs = await node.cniDebug('check', 'lab', 'one', ...asCtr);
        expect(`${differs.status} ${differs.stderr}`).toMatch(
          /^1 .*CHECK failed at plugin 1 of 1 \("debug"\)/,
        );

        // By any of its names: it is known under which of them it is attached.
        for (const name of ['one', 'default-one', `pid:${node.processOf(one)}`]) {
          const named = await node.cniDebug('check', 'lab', name);
          expect([name, named.status, named.stderr]).toEqual([name, 1, expect.stringContaining('"debug"')]);
        }
        succeeded(await node.cniDebug('del', 'lab', 'one'));
        expect(calls(node).at(-1)).toMatchObject({ command: 'DEL', prevResult: result });
        expect(await node.run('ls', results)).toBe('');
        expect(await node.inNetworkOf(one, 'ip', '-o', 'link')).not.toContain('eth0');
        await node.end(one);
        expect(
          calls(node)
            .map(({ command }) => command)
            .slice(-2),
        ).toEqual(['DEL', 'DEL']);
        expect(difference(before, await node.snapshot())).toEqual([]);
      }
    });

    test('by us, serves the DEL of ctr', async () => {
      await using node = await ContainerdNode.start();
      node.configure(lab());
      const before = await settled(node);
      const one = await node.container('one');
      const theirs = entry(node, 'lab-default-one-eth0');
      const added = await readd(node, one);

      const ours = entry(node, 'lab-default-one-eth0');
      const { netns, ...same } = ours;
      expect(netns).toBe(`/proc/${node.processOf(one)}/ns/net`);
      expect(Object.keys(same)).toEqual(Object.keys(theirs));
      expect({ ...same, config: '', result: shape(same.result) }).toEqual({
        ...{ ...theirs, config: '', result: shape(theirs.result) },
      });
      expect(configOf(ours)).toEqual(configOf(theirs));
      expect(ours.result).toEqual(added);
      await node.end(one);
      expect(calls(node).at(-1)).toMatchObject({
        command: 'DEL',
        attachment: { containerID: 'default-one', ifName: 'eth0' },
        prevResult: { ips: added.ips, routes: added.routes },
      });
      expect(difference(before, await node.snapshot())).toEqual([]);
    });

    test('by us first, where nobody has cached before', async () => {
      await using node = await ContainerdNode.start();
      node.configure(further());
      await node.run('ip', 'netns', 'add', 'testing');
      const words = [
        '--args',
        'IgnoreUnknown=1;K=V',
        '--capabilities',
        '{"ips":["10.60.0.9"],"b":{"a":1.0}}',
      ];
      succeeded(await node.cniDebug('add', 'further', 'testing', '--container-id', 'c1', ...words));
      const text = node.read(`${results}/further-c1-eth0`);
      expect(Object.keys(JSON.parse(text))).toEqual([
        ...['kind', 'containerId', 'config', 'ifName', 'networkName'],
        ...['netns', 'cniArgs', 'capabilityArgs', 'result'],
      ]);
      expect(text).toContain('"cniArgs":[["IgnoreUnknown","1"],["K","V"]]');
      expect(text).toContain('"capabilityArgs":{"ips":["10.60.0.9"],"b":{"a":1.0}}');
      const mode = (path: string) => (statSync(node.path(path)).mode & 0o777).toString(8);
      expect([mode(results), mode(`${results}/further-c1-eth0`)]).toEqual(['700', '600']);
      succeeded(await node.cniDebug('del', 'further', 'testing', '--container-id', 'c1'));
      const { command, environment } = calls(node).at(-1);
      expect([command, environment.CNI_ARGS]).toEqual(['DEL', 'IgnoreUnknown=1;K=V']);
    });

    test('but damaged, keeps nobody from a DEL, and is named', async () => {
      await using node = await ContainerdNode.start();
      node.configure(lab());
      const before = await settled(node);
      const path = `${results}/lab-default-one-eth0`;
      for (const [text, reason] of [
        ['', 'it is empty'],
        ['{"kind":"cniCacheV1","containerId":"defa', 'unterminated string'],
        ['[]', 'it is no JSON object'],
        ['{"kind":"other"}', 'it has the kind "other" where "cniCacheV1" belongs'],
      ] as const) {
        const one = await node.container('one');
        node.write(path, text);
        const listed = await node.cniDebug('list');
        expect(listed.status).toBe(3);
        expect(listed.stderr).toContain(`${path} is damaged: ${reason}`);
        expect(listed.stdout).toContain('default-one');
        const collected = await node.cniDebug('gc', 'lab');
        expect(`${collected.status} ${collected.stderr}`).toContain(
          `3 cni-debug gc: ${path} is damaged: ${reason}`,
        );
        expect(collected.stderr).toContain('remove that file');
        // Nothing was collected.
        expect(await node.inNetworkOf(one, 'ip', '-o', 'link')).toContain('eth0');

        const deleted = succeeded(await node.cniDebug('del', 'lab', 'one', ...asCtr));
        expect(deleted.stderr).toContain(`goes on without a cached result: ${path} is damaged: ${reason}`);
        expect(await node.run('ls', results)).toBe('');
        await node.end(one);
        expect(difference(before, await node.snapshot())).toEqual([]);
        expect((await node.cniDebug('list')).status).toBe(0);
      }
    });
  },
);

// biome-ignore lint/suspicious/noExplicitAny: a test reads a file as JSON.
type Json = any;

function entry(node: ContainerdNode, name: string): Json {
  return JSON.parse(node.read(`${results}/${name}`));
}

function configOf({ config }: Json): Json {
  return JSON.parse(Buffer.from(config, 'base64').toString('utf8'));
}

/** What two results of one attachment have in common: not the addresses, nor what libcni's types have no room for. */
function shape({ cniVersion, interfaces, ips, routes }: Json): Json {
  return {
    cniVersion,
    interfaces: interfaces.map(({ name, sandbox }: Json) => ({ name, sandbox })),
    ips: ips.map(({ gateway, interface: index }: Json) => ({ gateway, interface: index })),
    routes,
  };
}

/** What is there for good after the first attachment, and the first call of ours. */
async function settled(node: ContainerdNode): Promise<string[]> {
  const first = await node.container('first');
  await readd(node, first);
  await node.end(first);
  return node.snapshot();
}

/** Takes away what ctr has made, and makes it anew; the result. */
async function readd(node: ContainerdNode, { name }: Container): Promise<Json> {
  const words = ['lab', name, '--container-id', `default-${name}`, '--ifname', 'eth0'];
  succeeded(await node.cniDebug('del', ...words));
  return answered(succeeded(await node.cniDebug('add', ...words)));
}

function calls(node: ContainerdNode): Json[] {
  const lines = node.read('/var/log/cni-debug/journal.ndjson').trim().split('\n');
  return lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'call');
}
