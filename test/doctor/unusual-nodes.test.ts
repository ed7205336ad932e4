import { describe, expect, test } from 'bun:test';
import { bridgeNetwork, debugPlugin, OperatorNode } from '../cli/operator-node.ts';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';
import { diagnosed, sound } from './diagnosed.ts';
import { diagnosis, script, soundNode } from './doctor-node.ts';

describe.if(requires('root', 'ip', 'nft'))('what is unusual and meant so', () => {
  test('a device in user space: the result names an interface that no kernel has', async () => {
    await using node = await soundNode();
    const result = {
      cniVersion: '1.0.0',
      interfaces: [{ name: 'net1', mac: '02:00:00:00:00:09', sandbox: '/var/run/netns/web' }],
      ips: [{ address: '10.60.0.5/24', interface: 0 }],
    };
    await script(node, 'user-space', `[ "$CNI_COMMAND" = ADD ] && echo '${JSON.stringify(result)}'\nexit 0`);
    const plugins = [{ type: 'user-space' }];
    node.configure('20-fast.conflist', { cniVersion: '1.0.0', name: 'fast', plugins });
    await node.typed('add fast web --container-id web --ifname net1');
    expect(await diagnosis(node)).toEqual([]);
  });

  test('a container that has made its interface a port of a bridge of its own', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`
      ip -n api link add br0 type bridge
      ip -n api addr flush dev eth0
      ip -n api link set eth0 master br0
      ip -n api addr add 10.50.0.3/28 dev br0
      ip -n api link set br0 up
      ip -n api route add default via 10.50.0.1`);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('the containers of a node in a container, which have the addresses and indexes of others', async () => {
    await using node = await soundNode();
    await node.pod('nested');
    await node.typed('add lab nested --container-id nested');
    const port = await indexOf(node, "ip -br link show master br-lab | sed -n 's/@.*//p' | head -1");
    await node.sh(`
      ip netns add inner
      ip -n nested link add vinner index ${port} type veth peer name eth0 index 2 netns inner
      ip -n nested link set vinner up
      ip -n inner link set eth0 up
      ip -n inner addr add 10.50.0.2/28 dev eth0`);
    expect(await diagnosis(node)).toEqual([]);
  });
});

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('of the reference plugins', () => {
  test('an MTU that "tuning" has given the container', async () => {
    await using node = await withReference([{ type: 'tuning', mtu: 1400 }], ['tuning']);
    expect(await diagnosis(node)).toEqual([]);
    await node.sh('ip -n web link set eth0 mtu 1300');
    expect(await diagnosis(node)).toContain('D027 network lab');
  });

  test.if(requires('iptables'))('containers that "firewall" keeps apart on one bridge', async () => {
    await using node = await withReference([{ type: 'firewall', ingressPolicy: 'isolated' }], ['firewall']);
    await node.sh('sysctl -w net.bridge.bridge-nf-call-iptables=1');
    expect(await diagnosis(node)).toEqual([]);
  });
});

/** Network `lab` with these plugins at its end, and two pods. */
async function withReference(plugins: object[], types: readonly string[]): Promise<OperatorNode> {
  const node = await OperatorNode.start({ hasProcesses: true });
  for (const type of types) await node.sh(`ln -s /opt/cni/reference/${type} /opt/cni/bin/${type}`);
  node.configure('10-lab.conflist', bridgeNetwork('lab', '10.50.0.0/28', [...plugins, debugPlugin], '1.0.0'));
  for (const name of ['web', 'api']) {
    await node.pod(name);
    await node.typed(`add lab ${name} --container-id ${name}`);
  }
  return node;
}

async function indexOf(node: OperatorNode, nameOf: string): Promise<number> {
  return Number(await node.sh(`ip -o link show $(${nameOf}) | cut -d: -f1`));
}
