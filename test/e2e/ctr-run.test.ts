import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { requires } from '../requirements.ts';
import { difference } from '../root/snapshot.ts';
import { ContainerdNode } from './containerd.ts';

describe.if(requires('root', 'ip', 'nft', 'containerd', 'runc', 'ctr', 'busybox', 'reference-plugins'))(
  'under containerd',
  () => {
    test('debug as the bridge, with portmap', async () => {
      await using node = await ContainerdNode.start();
      node.configure(bridgeWithPortmap(8080));
      await node.end(await node.container('first'));
      const before = await node.snapshot();

      const one = await node.container('one');
      // `ctr` knows no port mappings: another container must not ask for the same one.
      node.configure(bridgeWithPortmap());
      const two = await node.container('two');
      const addresses = [await node.addressOf(one), await node.addressOf(two)];
      expect(addresses).toEqual(['10.50.0.3', '10.50.0.4']);
      await node.inContainer(one, 'ping', '-c1', '-W5', '10.50.0.4');
      await node.inContainer(two, 'ping', '-c1', '-W5', '10.50.0.3');
      expect(await node.run('busybox', 'wget', '-qO-', 'http://10.50.0.1:8080/')).toBe('one');

      expect(await node.end(one)).toBe(killed);
      expect(await node.end(two)).toBe(killed);
      expect(difference(before, await node.snapshot())).toEqual([]);
      await expect(node.run('busybox', 'wget', '-qO-', 'http://10.50.0.1:8080/')).rejects.toThrow('refused');
      expectCalls(node, [
        ['ADD', 'default-first'],
        ['DEL', 'default-first'],
        ['ADD', 'default-one'],
        ['ADD', 'default-two'],
        ['DEL', 'default-one'],
        ['DEL', 'default-two'],
      ]);
    });

    test('debug between flannel and portmap', async () => {
      await using node = await ContainerdNode.start();
      await node.run('mkdir', '/run/flannel');
      node.write('/run/flannel/subnet.env', subnetEnv);
      node.configure(flannelChain);
      await node.end(await node.container('first'));
      const before = await node.snapshot();

      const one = await node.container('one');
      const two = await node.container('two');
      const addresses = [await node.addressOf(one), await node.addressOf(two)];
      expect(addresses).toEqual(['192.168.22.131', '192.168.22.132']);
      await node.inContainer(one, 'ping', '-c1', '-W5', '192.168.22.132');
      await node.inContainer(two, 'ping', '-c1', '-W5', '192.168.22.131');
      expect(await node.run('busybox', 'wget', '-qO-', 'http://192.168.22.132/')).toBe('two');
      const routes = await node.inNetworkOf(one, 'ip', 'route');
      expect(routes).toContain('default via 192.168.22.129 dev eth0');
      expect(routes).toContain('192.168.0.0/16 via 192.168.22.129 dev eth0');
      expect(await node.inNetworkOf(one, 'ip', 'link', 'show', 'eth0')).toContain('mtu 1450');

      expect(await node.end(two)).toBe(killed);
      expect(await node.end(one)).toBe(killed);
      expect(difference(before, await node.snapshot())).toEqual([]);
      expectCalls(node, [
        ['ADD', 'default-first'],
        ['DEL', 'default-first'],
        ['ADD', 'default-one'],
        ['ADD', 'default-two'],
        ['DEL', 'default-two'],
        ['DEL', 'default-one'],
      ]);
    });

    test('containers that still run when a test ends go away with their node', async () => {
      const machine = leftovers();
      {
        await using node = await ContainerdNode.start();
        node.configure(bridgeWithPortmap());
        await node.container('one');
        expect(leftovers().length).toBeGreaterThan(machine.length);
      }
      expect(leftovers()).toEqual(machine);
    });
  },
);

/** 128 and SIGKILL: how a container ended that was killed. */
const killed = 137;

/** The mapping stands in the configuration, where a runtime that knows them would put it. */
function bridgeWithPortmap(hostPort?: number): object {
  const portMappings = hostPort === undefined ? [] : [{ hostPort, containerPort: 80, protocol: 'tcp' }];
  return {
    cniVersion: '1.0.0',
    name: 'lab',
    plugins: [
      {
        type: 'debug',
        bridge: 'cni0',
        isDefaultGateway: true,
        ipMasq: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: '10.50.0.0/16' }]] },
      },
      { type: 'portmap', capabilities: { portMappings: true }, runtimeConfig: { portMappings } },
    ],
  };
}

const flannelChain = {
  name: 'cbr0',
  cniVersion: '0.3.1',
  plugins: [
    { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
    { type: 'debug', cniOutput: '/tmp/cni_output.log' },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

const subnetEnv = `FLANNEL_NETWORK=192.168.0.0/16
FLANNEL_SUBNET=192.168.22.129/26
FLANNEL_MTU=1450
FLANNEL_IPMASQ=false
`;

/**
 * That both logs hold these calls (command, container ID) in this order, and no other. `ctr` puts its own namespace in
 * front of the name.
 */
function expectCalls(node: ContainerdNode, expected: string[][]): void {
  const records = node
    .read('/var/log/cni-debug/journal.ndjson')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'call');
  expect(records.map(({ command, attachment }) => [command, attachment.containerID])).toEqual(expected);
  expect(records.flatMap(({ error, findings }) => [error ?? [], findings].flat())).toEqual([]);
  const log = node.read('/tmp/cni_output.log');
  const calls = [...log.matchAll(/^CNI Command: (.*)\nContainerID: (.*)$/gm)];
  expect(calls.map(([, ...call]) => call)).toEqual(expected);
}

/** What this test's nodes have on the machine: processes and control groups. */
function leftovers(): string[] {
  const own = `cni-debug-test-${process.pid}-`;
  const found = [
    spawnSync('pgrep', ['-f', own], { encoding: 'utf8' }),
    spawnSync('find', ['/sys/fs/cgroup', '-path', `*${own}*`], { encoding: 'utf8' }),
  ];
  return found.flatMap(({ stdout }) => stdout.split('\n').filter(Boolean));
}
