import { describe, expect, test } from 'bun:test';
import { parseIp } from '../../src/cni/address.ts';
import { ipText } from '../../src/kernel/netlink/ip-address.ts';
import { type ForwardingTest, testForwarding } from '../../src/path/test-forwarding.ts';
import { requires } from '../requirements.ts';
import { PathSite } from './path-site.ts';

const ADDRESSES = { 4: '10.1.0.5', 6: 'fd00:1::5' } as const;

function tried(site: PathSite, family: 4 | 6 = 4, target?: string): ForwardingTest {
  const source = parseIp(ADDRESSES[family]) as Uint8Array;
  return testForwarding(
    site.open(site.node),
    site.open(site.pod),
    source,
    target === undefined ? undefined : parseIp(target),
  );
}

function stopOf(test: ForwardingTest) {
  if (test.outcome !== 'stopped') throw new Error(`not stopped: ${JSON.stringify(test)}`);
  return test.stop;
}

describe.if(requires('root', 'ip', 'nft', 'iptables'))('what becomes of a datagram of a pod', () => {
  test.each([
    [4, '198.51.100.1', '192.0.2.1'],
    [6, 'fd00:99::1', '2001:db8::1'],
  ] as const)(
    'IPv%p: it would leave with the address of the node, and nothing leaves',
    (family, seen, to) => {
      using site = new PathSite();
      // On the wire, behind all hooks of the node.
      site.nft(`table netdev wire {
      chain out { type filter hook egress device up0 priority 0; meta l4proto udp th dport 9 counter; }
    }`);
      // Whatever else the machine has to do, one of three gets its turn.
      const times = [1, 2, 3].map(() => {
        const begun = performance.now();
        tried(site, family);
        return performance.now() - begun;
      });
      expect(Math.min(...times)).toBeLessThan(300);
      const found = tried(site, family);
      expect(found).toMatchObject({
        outcome: 'forwarded',
        isMasqueraded: true,
        packet: { source: seen, target: to },
      });
      const [up0] = site.node.show<{ ifindex: number }[]>('link', 'show', 'up0');
      expect(found).toMatchObject({ oif: up0?.ifindex as number });
      const counted = (): string => site.onNode('nft', 'list', 'table', 'netdev', 'wire');
      expect(counted()).toContain('counter packets 0 ');
      site.onNode('bash', '-c', 'echo > /dev/udp/198.51.100.2/9');
      expect(counted()).toContain('counter packets 1 ');
      expect(site.tables()).toEqual(['table inet nat', 'table netdev wire']);
    },
  );

  test('without masquerade it keeps its address', () => {
    using site = new PathSite({ masquerade: false });
    expect(tried(site)).toMatchObject({
      outcome: 'forwarded',
      isMasqueraded: false,
      packet: { source: '10.1.0.5' },
    });
    expect(site.tables()).toEqual([]);
  });

  test.each([
    [4, 0],
    [4, 1],
    [6, 0],
    [6, 1],
  ] as const)('IPv%p: the bridge itself leads on, bridge-nf-call %p, and nothing leaves', (family, calls) => {
    using site = new PathSite({ masquerade: false });
    const settings = ['iptables', 'ip6tables'].map((name) => `net.bridge.bridge-nf-call-${name}=${calls}`);
    // Where there is no br_netfilter, nobody calls.
    site.onNode('sh', '-c', `sysctl -qw ${settings.join(' ')} 2>/dev/null || true`);
    site.nft(`table netdev wire {
      chain out { type filter hook egress device up0 priority 0; meta l4proto udp th dport 9 counter; }
    }`);
    site.node.ip('address flush dev up0', 'link set up0 master br0');
    site.outside.ip('address add 10.1.0.77/24 dev up0', 'address add fd00:1::77/64 dev up0 nodad');
    site.pod.ip('route replace default via 10.1.0.77', 'route replace default via fd00:1::77');
    expect(tried(site, family)).toMatchObject({ outcome: 'forwarded', isMasqueraded: false });
    expect(site.onNode('nft', 'list', 'table', 'netdev', 'wire')).toContain('counter packets 0 ');
  });

  test('a rule of nftables, with its counter', () => {
    using site = new PathSite();
    site.nft(`table ip guard {
      chain inner { ip daddr 192.0.2.0/24 counter drop comment "no tests"; }
      chain forward { type filter hook forward priority filter; policy accept; iifname "br0" jump inner; }
    }`);
    expect(stopOf(tried(site))).toMatchObject({
      cause: 'rule',
      layer: 'ip',
      hook: 'forward',
      text: expect.stringMatching(
        /^rule \d+ of chain inner in ip guard: ip daddr 192\.0\.2\.0\/24 drop \(comment "no tests"\)$/,
      ),
      counter: { before: 1, after: 2 },
    });
  });

  test.each([
    ['a policy', 'ip', 'forward priority 0; policy drop;', 'policy', 'policy drop of chain c in ip guard'],
    [
      'one of both',
      'inet',
      'forward priority 0; policy drop;',
      'policy',
      'policy drop of chain c in inet guard',
    ],
    ['one before routing', 'ip', 'prerouting priority raw; policy drop;', 'policy', 'policy drop of chain c'],
    [
      'a rule of the bridge',
      'bridge',
      'prerouting priority 0; ip daddr 192.0.2.1 drop;',
      'rule',
      'bridge guard',
    ],
    ['a rule that rejects', 'ip', 'forward priority 0; reject;', 'rule', 'of chain c in ip guard: reject'],
  ])('%s of nftables', (_, family, chain, cause, text) => {
    using site = new PathSite();
    site.nft(`table ${family} guard {
      chain c { type filter hook ${chain} }
    }`);
    expect(stopOf(tried(site))).toMatchObject({ cause, text: expect.stringContaining(text) });
  });

  test.each([
    ['policy', ['-P', 'FORWARD', 'DROP'], 'policy drop of chain FORWARD in ip filter'],
    [
      'rule',
      ['-A', 'FORWARD', '-s', '10.1.0.0/24', '-m', 'comment', '--comment', 'mine', '-j', 'DROP'],
      'ip saddr 10.1.0.0/24 drop (comment "mine")',
    ],
  ])('a %s of iptables-nft, with its counter', (cause, argv, text) => {
    using site = new PathSite();
    site.onNode('iptables-nft', ...argv);
    const stop = stopOf(tried(site));
    expect(stop).toMatchObject({ cause, hook: 'forward', text: expect.stringContaining(text) });
    expect(stop.counter?.after).toBe((stop.counter?.before ?? 0) + 1);
  });

  test.each([
    [
      'the policy',
      [['-P', 'FORWARD', 'DROP']],
      "policy DROP of chain FORWARD of iptables-legacy's table filter",
    ],
    [
      'a rule',
      [
        ['-N', 'MINE'],
        ['-A', 'MINE', '!', '-s', '10.9.0.0/16', '-p', 'udp', '-j', 'REJECT'],
        ['-A', 'FORWARD', '-i', 'br0', '-j', 'MINE'],
      ],
      "rule 1 of chain MINE of iptables-legacy's table filter: ! -s 10.9.0.0/16 -p udp -j REJECT",
    ],
    [
      'one of another table',
      [['-t', 'mangle', '-A', 'PREROUTING', '-s', '10.1.0.0/24', '-j', 'DROP']],
      "rule 1 of chain PREROUTING of iptables-legacy's table mangle: -s 10.1.0.0/24 -j DROP",
    ],
  ])('%s of iptables-legacy, by its counter', (_, commands, text) => {
    using site = new PathSite();
    for (const argv of commands) site.onNode('iptables-legacy', ...argv);
    const stop = stopOf(tried(site));
    expect(stop.text).toBe(text);
    expect(stop.counter?.after).toBe((stop.counter?.before ?? 0) + 1);
    // The other family has nothing to do with it.
    expect(tried(site, 6).outcome).toBe('forwarded');
  });

  test('a rule that hands it to a program, which is not there', () => {
    using site = new PathSite();
    site.onNode('iptables-nft', '-A', 'FORWARD', '-d', '192.0.2.1', '-j', 'NFQUEUE', '--queue-num', '7');
    expect(stopOf(tried(site))).toMatchObject({
      cause: 'queue',
      rule: { verdict: 'queue', chain: 'FORWARD' },
      text: expect.stringContaining('ip daddr 192.0.2.1 -j NFQUEUE'),
    });
  });

  test('one of ip6tables-legacy', () => {
    using site = new PathSite();
    site.onNode('ip6tables-legacy', '-A', 'FORWARD', '-s', 'fd00:1::/64', '-j', 'DROP');
    const text = "rule 1 of chain FORWARD of ip6tables-legacy's table filter: -s fd00:1::/64 -j DROP";
    expect(stopOf(tried(site, 6)).text).toBe(text);
  });

  test.each([
    [4, 'net.ipv4.ip_forward', 'IpInAddrErrors'],
    [6, 'net.ipv6.conf.all.forwarding', 'Ip6InAddrErrors'],
  ] as const)('IPv%p is not forwarded, and the kernel counts that', (family, name, counter) => {
    using site = new PathSite();
    site.sysctl(`${name}=0`);
    expect(stopOf(tried(site, family))).toMatchObject({
      cause: 'forwarding-off',
      counter: { name: counter },
      sysctls: expect.arrayContaining([{ name, value: '0' }]),
    });
  });

  test('rp_filter, and the kernel counts that', () => {
    using site = new PathSite();
    site.node.ip('route add 10.1.0.5/32 dev up0');
    expect(tried(site).outcome).toBe('forwarded');
    site.sysctl('net.ipv4.conf.br0.rp_filter=1');
    expect(stopOf(tried(site))).toMatchObject({
      cause: 'reverse-path',
      counter: { name: 'TcpExtIPReversePathFilter' },
      sysctls: expect.arrayContaining([{ name: 'net.ipv4.conf.br0.rp_filter', value: '1' }]),
    });
  });

  test.each([
    [4, ['route del default'], 'no-route'],
    [6, ['-6 route del default'], 'no-route'],
    [4, ['route add blackhole 192.0.2.0/24'], 'refusing-route'],
    [4, ['route add prohibit 192.0.2.0/24'], 'refusing-route'],
    [6, ['route add unreachable 2001:db8::/32'], 'refusing-route'],
    [6, ['route add blackhole 2001:db8::/32'], 'refusing-route'],
  ] as const)('IPv%p, routes of the node: %p', (family, lines, cause) => {
    using site = new PathSite();
    for (const line of lines) site.onNode('ip', ...line.split(' '));
    expect(stopOf(tried(site, family, family === 4 ? '192.0.2.1' : '2001:db8::1')).cause).toBe(cause);
  });

  test('a network for documentation that is in use here, or that a route refuses, is left alone', () => {
    using site = new PathSite();
    site.node.ip('address add 192.0.2.1/24 dev lo');
    expect(tried(site)).toMatchObject({ outcome: 'forwarded', packet: { target: '203.0.113.1' } });
    expect(stopOf(tried(site, 4, '192.0.2.1')).cause).toBe('delivered');
  });

  test('the node has the address of the container itself', () => {
    using site = new PathSite();
    expect(tried(site).outcome).toBe('forwarded');
    site.node.ip('address add 10.1.0.5/32 dev lo');
    expect(stopOf(tried(site)).cause).toBe('martian-source');
  });

  test('the container has no route, or nobody who takes it', () => {
    using site = new PathSite();
    site.node.ip('link set pod0 down');
    expect(stopOf(tried(site)).cause).toBe('not-seen');
    site.pod.ip('route del default');
    expect(stopOf(tried(site)).cause).toBe('no-route');
  });

  test('it is not sent where it could not be contained', () => {
    using site = new PathSite();
    site.pod.ip('link set eth0 down', 'address flush dev eth0', 'link set eth0 name old0');
    site.node.ip(`link add mv0 link up0 type macvlan`, `link set mv0 name eth0 netns ${site.pod.name}`);
    site.pod.ip(
      'link set eth0 up',
      'address add 10.1.0.5/24 dev eth0',
      'route add default via 10.1.0.1 dev eth0',
    );
    expect(tried(site)).toMatchObject({
      outcome: 'not-tested',
      reason: expect.stringContaining('"eth0" is a macvlan'),
    });
  });

  test('an address that NAT turns to another one is contained as well', () => {
    using site = new PathSite();
    site.nft(`table ip elsewhere {
      chain prerouting { type nat hook prerouting priority dstnat; ip daddr 192.0.2.1 dnat to 198.51.100.2; }
    }`);
    expect(tried(site)).toMatchObject({
      outcome: 'forwarded',
      packet: { target: ipText(Uint8Array.of(198, 51, 100, 2)) },
    });
    expect(site.outside.show<unknown[]>('neighbour').length).toBe(0);
  });
});
