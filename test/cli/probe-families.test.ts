import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { requires } from '../requirements.ts';
import { OperatorNode } from './operator-node.ts';

const peer = join(import.meta.dir, '../root/peer.ts');

// biome-ignore lint/suspicious/noExplicitAny: a test reads findings as the operator's jq does.
type Json = any;

/** A node with a container of both families behind a bridge, and one on a macvlan of the uplink; a host outside of it. */
async function site(): Promise<OperatorNode> {
  const node = await OperatorNode.start({ hasProcesses: true });
  const ipam = (ranges: string[]): object => ({
    ...{ type: 'host-local', ranges: ranges.map((subnet) => [{ subnet }]) },
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
  });
  const bridge = { type: 'bridge', bridge: 'br-dual', isGateway: true, ipMasq: true };
  node.configure('10-dual.conflist', {
    ...{ cniVersion: '1.1.0', name: 'dual' },
    plugins: [{ ...bridge, ipam: ipam(['10.60.0.0/24', 'fd00:60::/64']) }],
  });
  node.configure('20-direct.conflist', {
    ...{ cniVersion: '1.1.0', name: 'direct' },
    plugins: [
      {
        ...{ type: 'macvlan', master: 'up0', mode: 'bridge' },
        ipam: {
          ...{ type: 'host-local', routes: [{ dst: '0.0.0.0/0' }] },
          ranges: [[{ subnet: '198.51.100.0/24', rangeStart: '198.51.100.9', gateway: '198.51.100.2' }]],
        },
      },
    ],
  });
  await node.sh(`ip netns add outside
    ip link add up0 type veth peer name up0 netns outside
    ip addr add 198.51.100.1/24 dev up0; ip addr add fd00:99::1/64 dev up0 nodad; ip link set up0 up
    ip -n outside addr add 198.51.100.2/24 dev up0; ip -n outside addr add fd00:99::2/64 dev up0 nodad
    ip -n outside link set up0 up
    ip route add default via 198.51.100.2; ip -6 route add default via fd00:99::2
    ip netns exec outside ${process.execPath} ${peer} serve >/dev/null 2>&1 &
    for i in $(seq 250); do ip netns exec outside ss -ltn | grep -q :7000 && exit 0; sleep 0.02; done; exit 1`);
  for (const [network, name] of [['dual', 'web'] as const, ['direct', 'own'] as const]) {
    await node.pod(name);
    await node.typed(['add', network, name, '--container-id', name]);
  }
  return node;
}

async function probed(node: OperatorNode, ...words: string[]): Promise<Json> {
  const { status, stdout, stderr } = await node.type(['probe', ...words, '--json']);
  if (stdout === '') throw new Error(stderr);
  return { status, ...JSON.parse(stdout) };
}

describe.if(requires('root', 'ip', 'nft'))('probe', () => {
  test('in both families', async () => {
    await using node = await site();
    const to = ['--to', '198.51.100.2:7000', '--to', '[fd00:99::2]:7000'];
    const sound = await probed(node, 'web', ...to);
    expect(sound).toMatchObject({ status: 0, findings: [], unseen: [] });
    const whats = sound.steps.filter(({ outcome }: Json) => outcome === 'ok').map(({ what }: Json) => what);
    expect(whats).toEqual(
      expect.arrayContaining([
        ...['gateway 10.60.0.1', 'gateway fd00:60::1', 'TCP to [fd00:99::2]:7000', 'way out by IPv6'],
        ...['path MTU to fd00:99::2', 'fd00:60::2 from the node'],
      ]),
    );
    for (const [broken, mend, id, cause] of [
      [
        'sysctl -qw net.ipv6.conf.all.forwarding=0',
        'sysctl -qw net.ipv6.conf.all.forwarding=1; ip -6 route replace default via fd00:99::2',
        'P002',
        'forwarding of IPv6 is off',
      ],
      [
        'ip -6 route del default',
        'ip -6 route add default via fd00:99::2',
        'P004',
        'no route leads to 2001:db8::1',
      ],
      [
        'ip -n web -6 route del default',
        'ip -n web -6 route add default via fd00:60::1',
        'P004',
        'no route of the container leads to [fd00:99::2]:7000',
      ],
      [
        'ip6tables-legacy -P FORWARD DROP',
        'ip6tables-legacy -P FORWARD ACCEPT',
        'P001',
        "TCP to [fd00:99::2]:7000 is dropped by policy DROP of chain FORWARD of ip6tables-legacy's table filter",
      ],
      ['ip link set up0 mtu 1400', 'ip link set up0 mtu 1500', 'P007', 'fd00:60::1 says that 1400 bytes fit'],
      [
        'ip addr del fd00:60::1/64 dev br-dual',
        'ip addr add fd00:60::1/64 dev br-dual nodad',
        'P006',
        'nobody answers when the container asks by NDP who has fd00:60::1',
      ],
    ] as const) {
      await node.sh(broken);
      const found = await probed(node, 'web', '--to', '[fd00:99::2]:7000');
      expect(found.findings[0]).toMatchObject({ id, cause: expect.stringContaining(cause) });
      await node.sh(mend);
    }
    await node.sh('ip -n web route flush cache; ip -n web -6 route flush cache');
    expect(await probed(node, 'web', ...to)).toMatchObject({ findings: [] });
  }, 120_000);

  test('what goes by a macvlan passes no hook of the node, and that is said', async () => {
    await using node = await site();
    const sound = await probed(node, 'own', '--to', '198.51.100.2:7000');
    expect(sound).toMatchObject({ status: 0, findings: [], unseen: [] });
    const texts = sound.steps.map(({ what, outcome, text }: Json) => `${what}: ${outcome}: ${text}`);
    expect(texts).toContainEqual(expect.stringMatching(/^way out by IPv4: not tried: "eth0" is a macvlan/));
    expect(texts).toContainEqual(
      expect.stringMatching(/^198\.51\.100\.9 from the node: not tried: a macvlan hides/),
    );
    const silent = await probed(node, 'own', '--to', '198.51.100.77:7000');
    expect(silent.findings[0]).toMatchObject({
      id: 'P014',
      cause: expect.stringContaining("what a macvlan sends does not pass this node's network"),
    });
  }, 60_000);
});
