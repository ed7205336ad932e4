import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';

const probing = 'probe web --to 192.0.2.2:7000';

// biome-ignore lint/suspicious/noExplicitAny: a test reads findings as the operator's jq does.
type Json = any;

/** What the probe finds after `break`, a root cause each. */
async function found(site: FaultSite, broken: string, words = probing): Promise<Json> {
  await site.node.sh(broken);
  const { status, stdout, stderr } = await site.type([...words.split(' '), '--format', 'json']);
  if (stdout === '') throw new Error(`status ${status}: ${stderr}`);
  return { status, ...JSON.parse(stdout) };
}

/** Without what differs from run to run. */
function settled(text: string): string {
  return text
    .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC')
    .replace(/\d+\.\d ms/g, 'N ms')
    .replace(/process \d+/, 'process PID');
}

describe.if(requires('root', 'ip', 'nft', 'iptables'))('probe', () => {
  test('a sound container: a line for each step, nothing left, and nothing sent to anybody else', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`ip netns exec outside nft -f - <<'EOF'
      table netdev wire {
        chain in { type filter hook ingress device up0 priority 0; ip daddr != 192.0.2.2 counter; }
      }
EOF`);
    const before = await site.node.snapshot();
    const answer = await site.type(probing);
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(settled(answer.stdout)).toMatchSnapshot();
    expect(await site.node.snapshot()).toEqual(before);
    expect(await site.node.sh('ip netns exec outside nft list table netdev wire')).toContain(
      'counter packets 0 ',
    );
  }, 60_000);

  test('JSON: steps, findings, and what could not be looked at', async () => {
    await using site = await FaultSite.start();
    const { status, steps, findings, unseen, container } = await found(site, 'true', 'probe default/web');
    expect({ status, findings, unseen, container }).toEqual({
      ...{ status: 0, findings: [], unseen: [], container: 'default/web' },
    });
    expect(steps.map(({ outcome }: Json) => outcome)).toEqual(steps.map(() => 'ok'));
    const outcome = await found(site, 'sysctl -qw net.ipv4.ip_forward=0');
    expect(outcome.steps.find(({ what }: Json) => what === 'TCP to 192.0.2.2:7000')).toMatchObject({
      outcome: 'failed',
      finding: 'P002',
    });
    expect(outcome.findings.map(({ id }: Json) => id)).toEqual(['P002']);
  }, 60_000);

  test.each([
    [
      'a rule against what answers',
      `nft add table ip guard
       nft 'add chain ip guard f { type filter hook forward priority 0; }'
       nft add rule ip guard f ip saddr 192.0.2.2 counter drop`,
      'P001',
      /^the answer to TCP to 192\.0\.2\.2:7000 is dropped by rule \d+ of chain f in ip guard: ip saddr 192\.0\.2\.2 drop$/,
    ],
    [
      "a rule of the container's own against what it sends",
      `ip netns exec web nft add table ip own
       ip netns exec web nft 'add chain ip own out { type filter hook output priority 0; policy drop; }'`,
      'P001',
      /^TCP to 192\.0\.2\.2:7000 is dropped by policy drop of chain out in ip own$/,
    ],
    [
      "a rule of the container's own against what comes to it",
      `ip netns exec web nft add table ip own
       ip netns exec web nft 'add chain ip own in { type filter hook input priority 0; }'
       ip netns exec web nft add rule ip own in tcp sport 7000 drop`,
      'P001',
      /of chain in in ip own: tcp sport 7000 drop$/,
    ],
    ['a route that refuses', 'ip route add blackhole 192.0.2.2', 'P015', /refuses it \(EINVAL\)$/],
    ['a host that is down', 'ip -n outside link set up0 down', 'P014', /no answer came back to this node$/],
    ['an address that the node has, too', 'ip addr add 10.50.0.2/32 dev lo', 'P015', /10\.50\.0\.2/],
    [
      'a long packet that vanishes without a word',
      `ip link set up0 mtu 1400; ip -n outside link set up0 mtu 1400
       nft add table ip guard
       nft 'add chain ip guard o { type filter hook output priority 0; }'
       nft add rule ip guard o icmp type destination-unreachable drop`,
      'P007',
      /longer ones than 1400 bytes vanish, and nobody says so$/,
    ],
    [
      'nobody behind the host port',
      'ip netns pids web | xargs kill',
      'P010',
      /nobody in the container listens there$/,
    ],
    [
      'a resolver in the container itself, where none is',
      'echo nameserver 127.0.0.53 > /etc/netns/web/resolv.conf; ip -n web link set lo up',
      'P009',
      /names 127\.0\.0\.53, the container itself, and no resolver listens in it$/,
    ],
    [
      'echoes that the container drops',
      `ip netns exec web nft add table ip own
       ip netns exec web nft 'add chain ip own in { type filter hook input priority 0; }'
       ip netns exec web nft add rule ip own in icmp type echo-request drop`,
      'P001',
      /^an echo of the node to 10\.50\.0\.2 is dropped by rule 2 of chain in in ip own: .* drop$/,
    ],
    [
      'a container whose rules of routing throw its answers away',
      'ip -n web rule add to 10.50.0.1 blackhole priority 1',
      'P012',
      /does not answer the node, though it is there$/,
    ],
  ])(
    '%s',
    async (_, broken, id, cause) => {
      await using site = await FaultSite.start();
      const { status, findings } = await found(site, broken);
      expect(findings[0]).toMatchObject({
        id,
        cause: expect.stringMatching(cause),
        page: `docs/rules/${id}.md`,
      });
      expect(findings).toHaveLength(1);
      expect(status).toBe(1);
    },
    60_000,
  );

  test('an address that is translated to another one, as that of a service', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`nft -f - <<'EOF'
      table ip services {
        chain prerouting {
          type nat hook prerouting priority dstnat
          ip daddr 10.96.0.1 tcp dport 443 dnat to 192.0.2.2:7000
          ip daddr 10.96.0.1 tcp dport 444 dnat to 192.0.2.2:7001
          ip daddr 10.96.0.1 tcp dport 445 dnat to 192.0.2.77:7000
        }
      }
EOF`);
    const stepTo = (report: Json): Json => report.steps.find(({ what }: Json) => what.startsWith('TCP to'));
    const sound = await found(site, 'true', 'probe web --to 10.96.0.1:443');
    expect(sound).toMatchObject({ status: 0, findings: [] });
    expect(stepTo(sound).text).toEndWith('as 192.0.2.1, at 192.0.2.2 port 7000');
    const refused = await found(site, 'true', 'probe web --to 10.96.0.1:444');
    expect(refused.findings[0]).toMatchObject({ id: 'P010', object: '10.96.0.1:444' });
    const silent = await found(site, 'true', 'probe web --to 10.96.0.1:445');
    expect(silent.findings[0]).toMatchObject({ id: 'P014', object: '10.96.0.1:445' });
    const evidence = silent.findings[0].evidence.map(({ text }: Json) => text).join('\n');
    expect(evidence).toContain('leaving by "up0" from 192.0.2.1 to 192.0.2.77 port 7000');
    expect(evidence).toContain('192.0.2.77 does not answer: nobody on the link takes the packet');
  }, 60_000);

  test('a host port of UDP', async () => {
    await using site = await FaultSite.start();
    const ports = '{"portMappings":[{"hostPort":5353,"containerPort":53,"protocol":"udp"}]}';
    await site.node.pod('dns');
    await site.node.typed(['add', 'lab', 'dns', '--container-id', 'dns', '--capabilities', ports]);
    const sound = await found(site, 'true', 'probe dns');
    expect(sound.findings).toEqual([]);
    expect(sound.steps.at(-1)).toMatchObject({ what: 'host port 192.0.2.1:5353/udp', outcome: 'ok' });
    const flushed = await found(
      site,
      "nft delete element inet cni_debug hostport_any4 '{ udp . 5353 }'",
      'probe dns',
    );
    expect(flushed.findings[0]).toMatchObject({ id: 'P011', object: 'host port 5353/udp' });
  }, 60_000);

  test('when everything is dropped it takes less than 15 s, and leaves nothing', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`nft add table netdev wire
      nft 'add chain netdev wire in { type filter hook ingress device up0 priority 0; policy drop; }'
      printf 'nameserver 192.0.2.%s\n' 2 3 4 > /tmp/resolv.$$; cat /tmp/resolv.$$ > /etc/netns/web/resolv.conf; rm /tmp/resolv.$$`);
    const before = await site.node.sh('nft list tables');
    const begun = performance.now();
    const targets = [1, 2, 3, 4, 5, 6].flatMap((port) => ['--to', `192.0.2.2:${port}`]);
    const { status } = await site.type(['probe', 'web', ...targets]);
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(status).toBe(1);
    expect(await site.node.sh('nft list tables')).toBe(before);
  }, 60_000);

  test('killed in the middle, it leaves nothing', async () => {
    await using site = await FaultSite.start();
    await site.node.sh('ip -n outside link set up0 down');
    const before = await site.node.sh('nft list tables');
    const ended = site.type(probing);
    const watching = await site.node.sh(
      'for i in $(seq 500); do nft list tables | grep -m1 cni_debug_watch && break; sleep 0.01; done',
    );
    expect(watching).toContain('cni_debug_watch');
    await site.node.sh(`for folder in /proc/[0-9]*; do
      case "$(tr '\\0' ' ' < $folder/cmdline)" in *cni-debug' 'pro[b]e*) kill -9 "\${folder#/proc/}";; esac
    done`);
    expect((await ended).stdout).toBe('');
    expect(await site.node.sh('nft list tables')).toBe(before);
  }, 60_000);

  test('a namespace that no runtime knows', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`ip netns add bare
      ip link add bare0 type veth peer name eth7 netns bare
      ip link set bare0 master br-lab up
      ip -n bare addr add 10.50.0.9/28 dev eth7; ip -n bare link set eth7 up`);
    const answer = await site.type('probe bare');
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(answer.stdout).toContain('interface eth7 is up, mtu 1500, 10.50.0.9/28');
    const nobody = await site.type('probe nobody');
    expect(nobody).toMatchObject({ status: 1, stdout: '' });
    expect(nobody.stderr).toContain('attached are: default/web, default/api');
    const number = await site.type('probe web --to 10.96.0.256:80');
    expect(number.status).toBe(2);
    expect(number.stderr).toContain('It is an address or a name, and a port');
  }, 60_000);
});
