import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { answered } from '../program.ts';
import { requires } from '../requirements.ts';
import { reference } from '../root/implementations.ts';
import { succeeded } from '../root/site.ts';
import { difference } from '../root/snapshot.ts';
import { type Container, ContainerdNode } from './containerd.ts';
import { further, lab } from './networks.ts';

describe.if(requires('root', 'ip', 'nft', 'containerd', 'runc', 'ctr', 'busybox', 'reference-plugins'))(
  'attach and detach, with containers of ctr',
  () => {
    test('a further interface works, is listed, and goes away without a trace', async () => {
      await using node = await start();
      const [one, two] = [await node.container('one'), await node.container('two')];
      await warmUp(node, one);
      const before = await node.snapshot();

      const first = succeeded(await node.cniDebug('attach', 'one', 'further', '--ifname', 'eth12'));
      succeeded(await node.cniDebug('attach', 'two', 'further', '--ifname', 'eth12'));
      const addresses = [await node.addressOf(one, 'eth12'), await node.addressOf(two, 'eth12')];
      expect(answered(first).ips[0].address).toBe(`${addresses[0]}/16`);
      expect(addresses.map((address) => address.replace(/\d+$/, ''))).toEqual(['10.60.0.', '10.60.0.']);
      await node.inContainer(one, 'ping', '-c1', '-W5', '-I', 'eth12', addresses[1] ?? '');
      await node.inContainer(two, 'ping', '-c1', '-W5', '-I', 'eth12', addresses[0] ?? '');

      expect(await listed(node)).toEqual([
        'further default-one eth12 alive cache,lease,record',
        'further default-two eth12 alive cache,lease,record',
        'lab default-one eth0 alive cache,lease,record',
        'lab default-two eth0 alive cache,lease,record',
      ]);

      for (const name of ['one', 'two']) succeeded(await node.cniDebug('detach', name, '--ifname', 'eth12'));
      expect(difference(before, await node.snapshot())).toEqual([]);
      await node.inContainer(one, 'ping', '-c1', '-W5', await node.addressOf(two));
      await node.end(one);
      await node.end(two);
      expect(await listed(node)).toEqual([]);
    });

    test('a container may be said by its ID, the beginning of that, its process, or its namespace', async () => {
      await using node = await start();
      const one = await node.container('one-of-many');
      const pid = node.processOf(one);
      const words = [
        ...['one-of-many', 'one', `pid:${pid}`, pid, `/proc/${pid}/ns/net`],
        // As `list` shows it.
        'default-one-of-many',
      ];
      for (const [index, word] of words.entries()) {
        const attached = succeeded(await node.cniDebug('attach', word, 'further'));
        const { interfaces } = answered(attached);
        expect(interfaces.at(-1)).toMatchObject({ name: `eth${index + 1}`, sandbox: `/proc/${pid}/ns/net` });
      }
      // Under the ID that its runtime uses, however it was called.
      expect(await listed(node)).toEqual([
        ...words.map((_, index) => `further default-one-of-many eth${index + 1} alive cache,lease,record`),
        'lab default-one-of-many eth0 alive cache,lease,record',
      ]);
      for (const [index, word] of words.entries())
        succeeded(await node.cniDebug('detach', word, '--ifname', `eth${index + 1}`));
      expect(await listed(node)).toEqual(['lab default-one-of-many eth0 alive cache,lease,record']);
    });

    test('of the same name at once, each gets an interface of its own', async () => {
      await using node = await start();
      await node.container('one');
      const answers = await Promise.all([1, 2, 3, 4].map(() => node.cniDebug('attach', 'one', 'further')));
      const names = answers.map((answer) => answered(succeeded(answer)).interfaces.at(-1).name);
      expect(names.sort()).toEqual(['eth1', 'eth2', 'eth3', 'eth4']);
    });

    test('what means none, or several, changes nothing', async () => {
      await using node = await start();
      const [one, twin] = [await node.container('twin-one'), await node.container('twin-two')];
      await warmUp(node, one);
      const before = await node.snapshot();
      const refused = async (...words: string[]) => {
        const { status, stdout, stderr } = await node.cniDebug('attach', ...words);
        expect({ words, status, stdout }).toEqual({ words, status: 1, stdout: '' });
        return stderr;
      };

      const both = await refused('twin', 'further');
      expect(both).toContain('"twin" is the beginning or name of several: ');
      expect(both).toContain(`twin-one /proc/${node.processOf(one)}/ns/net`);
      expect(both).toContain(`twin-two /proc/${node.processOf(twin)}/ns/net`);
      const none = await refused('nosuch', 'further');
      expect(none).toContain('"nosuch" is no namespace (ip netns), no process, and no container');
      expect(none).toContain('crictl inspect');
      const ended = await refused('pid:4000000', 'further');
      expect(ended).toContain('"pid:4000000" has no network namespace: stat "/proc/4000000/ns/net"');
      expect(ended).toContain('ask its runtime');
      expect(await refused('twin-one', 'nosuch')).toContain(
        'no network "nosuch" in /etc/cni/net.d; there are:',
      );
      const taken = await refused('twin-one', 'further', '--ifname', 'eth0');
      expect(taken).toContain('already has an interface "eth0"');
      expect(taken).toContain('choose another name');

      expect(difference(before, await node.snapshot())).toEqual([]);
      await node.inContainer(one, 'ping', '-c1', '-W5', await node.addressOf(twin));
    });

    test("the node's own network is not a container's, by whatever plugin", async () => {
      await using node = await start();
      await node.container('one');
      await configureReference(node);
      await node.run('ip', 'link', 'add', 'eth0', 'type', 'bridge');
      await warmUp(node);
      const before = await node.snapshot();
      for (const word of ['pid:1', '1', '/proc/self/ns/net', '/proc/1/ns/net']) {
        for (const network of ['further', 'reference']) {
          const { status, stderr } = await node.cniDebug('attach', word, network);
          expect(`${status}: ${stderr}`).toContain('1: cni-debug attach: /proc/');
          expect(stderr).toContain("/ns/net is the node's own network, and not that of a container (code 8)");
          // Nothing of it is there: that is no error. But what has the name is not it.
          succeeded(await node.cniDebug('del', network, word));
        }
      }
      expect(difference(before, await node.snapshot())).toEqual([]);
    });

    test('the number of a process that has ended may be that of another container', async () => {
      await using node = await start();
      await configureReference(node);
      const old = await node.container('old');
      succeeded(await node.cniDebug('attach', 'old', 'further'));
      succeeded(await node.cniDebug('attach', 'old', 'reference', '--ifname', 'eth2'));
      const before = node.processOf(old);
      await node.end(old);
      const one = await node.container('new');
      const [pid, rewritten] = [node.processOf(one), '/var/lib/cni/results'];
      // As if the new one had got its number; both were written down before it was started.
      for (const name of ['further-default-old-eth1', 'reference-default-old-eth2']) {
        const path = `${rewritten}/${name}`;
        node.write(path, node.read(path).replaceAll(`/proc/${before}/`, `/proc/${pid}/`));
        await node.run('touch', '-d', '1 minute ago', path);
      }
      for (const network of ['further', 'reference'])
        succeeded(await node.cniDebug('attach', 'new', network));

      expect(await listed(node)).toEqual([
        'further default-new eth1 alive cache,lease,record',
        'further default-old eth1 gone cache,lease,record',
        'lab default-new eth0 alive cache,lease,record',
        'reference default-new eth2 alive cache,lease',
        'reference default-old eth2 gone cache,lease',
      ]);
      const addresses = [await node.addressOf(one, 'eth1'), await node.addressOf(one, 'eth2')];
      const collected = succeeded(await node.cniDebug('gc', 'further', '--json'));
      expect(answered(collected).deleted).toEqual([{ containerID: 'default-old', ifName: 'eth1' }]);
      succeeded(await node.cniDebug('detach', 'default-old', '--ifname', 'eth2'));
      expect([await node.addressOf(one, 'eth1'), await node.addressOf(one, 'eth2')]).toEqual(addresses);
      expect(await node.run('find', '/var/lib/cni', '-name', '*old*')).toBe('');
      for (const ifName of ['eth1', 'eth2'])
        succeeded(await node.cniDebug('detach', 'new', '--ifname', ifName));
      expect(await listed(node)).toEqual(['lab default-new eth0 alive cache,lease,record']);
    });

    test('a container that ends takes its interfaces along, and gc frees what they had', async () => {
      await using node = await start();
      const [one, two] = [await node.container('one'), await node.container('two')];
      await warmUp(node, one);
      succeeded(await node.cniDebug('attach', 'two', 'further'));
      const before = await node.snapshot();
      for (const cniVersion of ['1.0.0', '1.1.0']) {
        node.configure(further({ cniVersion }), '20-further.conflist');
        const three = await node.container('three');
        succeeded(await node.cniDebug('attach', 'three', 'further'));
        const address = await node.addressOf(three, 'eth1');
        await node.end(three);

        expect(await listed(node)).toContain('further default-three eth1 gone cache,lease,record');
        expect(await node.run('ls', '/var/lib/cni/networks/further')).toContain(address);
        const collected = succeeded(await node.cniDebug('gc', 'further', '--json'));
        expect(answered(collected).deleted).toEqual([{ containerID: 'default-three', ifName: 'eth1' }]);
        expect(difference(before, await node.snapshot())).toEqual([]);
        // Of what ctr attached, all lives.
        expect(answered(succeeded(await node.cniDebug('gc', 'lab', '--json'))).deleted).toEqual([]);
        expect(difference(before, await node.snapshot())).toEqual([]);
      }
      expect(await listed(node)).toEqual([
        'further default-two eth1 alive cache,lease,record',
        'lab default-one eth0 alive cache,lease,record',
        'lab default-two eth0 alive cache,lease,record',
      ]);
      await node.inContainer(one, 'ping', '-c1', '-W5', await node.addressOf(two));
      succeeded(
        await node.cniDebug('check', 'further', 'two', '--container-id', 'default-two', '--ifname', 'eth1'),
      );
    });
  },
);

async function start(): Promise<ContainerdNode> {
  const node = await ContainerdNode.start();
  node.configure(lab());
  node.configure(further(), '20-further.conflist');
  return node;
}

/** What is there for good after the first attachment to the further network. */
async function warmUp(node: ContainerdNode, container?: Container): Promise<void> {
  const name = container?.name ?? 'one';
  succeeded(await node.cniDebug('attach', name, 'further', '--ifname', 'warm'));
  succeeded(await node.cniDebug('detach', name, '--ifname', 'warm'));
}

/** network, container, interface, state, and who knows of it; sorted. */
async function listed(node: ContainerdNode): Promise<string[]> {
  const attachments: Record<string, string>[] = answered(succeeded(await node.cniDebug('list', '--json')));
  return attachments
    .map(({ network, containerID, ifName, state, sources }) =>
      [network, containerID, ifName, state, sources].join(' '),
    )
    .sort();
}

/** A network of the reference's bridge, which takes whatever has the name for its own, and looks where it is last. */
async function configureReference(node: ContainerdNode): Promise<void> {
  await node.run('ln', '-s', join(reference.folder, 'bridge'), '/opt/cni/bin/reference-bridge');
  const ipam = { type: 'host-local', subnet: '10.70.0.0/16' };
  const plugins = [{ type: 'reference-bridge', bridge: 'cni2', ipam }];
  node.configure(further({ name: 'reference', plugins }), '30-reference.conflist');
}
