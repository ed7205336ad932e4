import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { InstallSite } from '../cli/install-site.ts';
import { referencePath } from '../program.ts';
import { requires } from '../requirements.ts';
import { Node } from './node.ts';

describe.if(requires('root', 'ip', 'iptables', 'reference-plugins'))(
  'a chain that install has changed runs',
  () => {
    let node: Node;
    let site: InstallSite;
    beforeEach(() => {
      node = new Node();
      // Not in /tmp, of which the calls see another one.
      site = new InstallSite('/run');
    });
    afterEach(() => {
      node.remove();
      site[Symbol.dispose]();
    });

    /** ADD and DEL of the conflist, with the places where debug records by itself in a memory of their own. */
    function run(): {
      result: { ips: object[] };
      log: string;
      calls: { command: string; msg: string; delegates: { type: string; status: number }[] }[];
    } {
      const runtime = {
        containerID: 'pod1',
        netns: node.netns,
        ifName: 'eth0',
        capabilityArgs: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
        cniPath: [site.bin, ...referencePath].join(':'),
        timeoutMs: 60_000,
      };
      const script = `set -e
      mount -t tmpfs tmpfs /var/log; mkdir /var/log/up /var/log/work
      mount -t overlay overlay -o lowerdir=/tmp,upperdir=/var/log/up,workdir=/var/log/work /tmp
      rm -f /tmp/cni_output.log
      bun=$1; run=$2; list=$(cat "$3"); runtime=$4
      result=$($bun $run add "$list" "$runtime"); [ "$($bun $run check "$list" "$runtime" "$result")" = null ]
      echo "$result"; echo SPLIT
      [ "$($bun $run del "$list" "$runtime" "$result")" = null ]
      cat /tmp/cni_output.log; echo SPLIT; cat /var/log/cni-debug/journal.ndjson`;
      const words = [
        process.execPath,
        join(import.meta.dir, 'chain-run.ts'),
        site.conflist,
        JSON.stringify(runtime),
      ];
      const output = node.onNode('unshare', '-m', 'sh', '-c', script, '-', ...words);
      const [result = '', log = '', journal = ''] = output.split('SPLIT\n');
      const records = journal
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      return { result: JSON.parse(result), log, calls: records.filter(({ kind }) => kind === 'call') };
    }

    /** Of the reference plugins. */
    function write(): void {
      const bridge = {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipam: {
          type: 'host-local',
          dataDir: join(site.folder, 'leases'),
          ranges: [[{ subnet: '10.77.0.0/24' }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      };
      const portmap = { type: 'portmap', capabilities: { portMappings: true } };
      const list = { cniVersion: '1.0.0', name: 'cbr0', plugins: [bridge, portmap] };
      site.write('net.d/10-flannel.conflist', JSON.stringify(list, null, 2));
    }

    test('behind the first plugin', async () => {
      write();
      expect(await site.install('--into', 'cbr0')).toMatchObject({ status: 0 });
      const { result, log, calls } = run();
      expect(result.ips).toHaveLength(1);
      expect(log).toContain('CNI Command: ADD\nContainerID: pod1\n');
      expect(calls.map(({ command }) => command)).toEqual(['ADD', 'CHECK', 'DEL']);
      expect(node.links(node.pod)).toEqual(['lo']);
    });

    test('around every plugin: each is run by debug, and gets its port mappings', async () => {
      write();
      expect(await site.install('--into', 'cbr0', '--wrap')).toMatchObject({ status: 0 });
      const { calls } = run();
      const delegates = calls.map(({ command, delegates }) => [
        command,
        ...delegates.map(({ type, status }) => `${type} ${status}`),
      ]);
      expect(delegates).toEqual([
        ['ADD', 'bridge 0'],
        ['ADD', 'portmap 0'],
        ['CHECK', 'bridge 0'],
        ['CHECK', 'portmap 0'],
        ['DEL', 'portmap 0'],
        ['DEL', 'bridge 0'],
      ]);
      const [, added] = calls as unknown as { delegates: { stdin: { runtimeConfig: object } }[] }[];
      expect(added?.delegates[0]?.stdin.runtimeConfig).toEqual({
        portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
      });
      expect(node.links(node.pod)).toEqual(['lo']);
    });

    test('a .conf, around its plugin', async () => {
      write();
      const { name, cniVersion, plugins } = JSON.parse(site.read('net.d/10-flannel.conflist'));
      site.write('net.d/10-flannel.conflist', JSON.stringify({ cniVersion, name, ...plugins[0] }));
      expect(await site.install('--into', '10-flannel.conflist', '--wrap')).toMatchObject({ status: 0 });
      const { result, calls } = run();
      expect(result.ips).toHaveLength(1);
      expect(calls.map(({ delegates }) => delegates.map(({ type }) => type))).toEqual([
        ['bridge'],
        ['bridge'],
        ['bridge'],
      ]);
    });
  },
);
