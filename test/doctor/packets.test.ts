import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';
import { diagnosed, sound } from './diagnosed.ts';

async function run(site: FaultSite, commands: readonly string[]): Promise<void> {
  for (const command of commands) await site.node.sh(command);
}

describe.if(requires('root', 'ip', 'nft', 'iptables'))('what a packet proves', () => {
  test('nothing of it leaves the node, comes to a container, or is left behind', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`
      nft 'table netdev wire { chain out { type filter hook egress device up0 priority 0; udp dport 9 counter; }; }'
      ip netns exec api nft 'table ip mine { chain in { type filter hook input priority 0; udp dport 9 counter; }; }'`);
    const before = await site.node.sh('nft list ruleset');
    expect(await diagnosed(site)).toEqual(sound);
    expect(await site.node.sh('nft list ruleset')).toBe(before);
    expect(before).toContain('udp dport 9 counter packets 0 bytes 0');
    expect(await site.node.sh('ip netns exec api nft list ruleset')).toContain(
      'udp dport 9 counter packets 0 bytes 0',
    );
  });

  test.each([
    ['forwarding-off', 'D028', 'IpInAddrErrors 0 -> 1'],
    ['bridge-netfilter-drops', 'D030', 'packets 1 -> 2'],
    ['forward-policy-drop', 'D031', 'policy drop'],
    ['forward-policy-drop-of-iptables', 'D031', 'packets 1 -> 2'],
    ['forward-rule-drops', 'D031', 'packets 1 -> 2'],
  ])('%s: what the finding says mends it, and takes the mend back', async (script, id, proof) => {
    await using site = await FaultSite.start();
    await site.break(`${script}.sh`);
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: [id] });
    expect(findings[0].evidence.map(({ text }: { text: string }) => text).join('\n')).toContain(proof);
    await run(site, findings[0].fix);
    for (const { id, object, fix } of [...findings[0].consequences]) {
      expect({ id, object }).toEqual({ id: 'D030', object: 'network lab' });
      await run(site, fix);
    }
    expect((await diagnosed(site)).ids).toEqual([]);
    await run(site, findings[0].undo);
    expect((await diagnosed(site)).ids).toEqual([id]);
  });

  test('reverse-path-filter', async () => {
    await using site = await FaultSite.start();
    await site.break('reverse-path-filter.sh');
    const { findings } = await diagnosed(site);
    const found = findings.find(({ id }) => id === 'D029');
    expect(found.evidence.map(({ text }: { text: string }) => text)).toContainEqual(
      expect.stringMatching(/^TcpExtIPReversePathFilter \d+ -> \d+$/),
    );
  });

  test.each([
    ['settings that look wrong and do nothing', 'sysctl -qw net.ipv4.conf.all.rp_filter=1'],
    [
      'a rule against networks for documentation',
      dropping('ip daddr 192.0.2.0/24 ip daddr != 192.0.2.2 drop'),
    ],
    ['a rule against the port of the datagram', dropping('udp dport 9 drop')],
    ['a rule for one container', dropping('ip saddr 10.50.0.2 ip daddr != 10.50.0.0/28 drop')],
    ['a rule that lets through', dropping('ip saddr 10.50.0.0/28 accept')],
  ])('%s: nobody is blamed', async (_, command) => {
    await using site = await FaultSite.start();
    await site.node.sh(command);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('without a container that lives nothing is sent, and nothing said', async () => {
    await using site = await FaultSite.start();
    await site.node.sh('for pod in web api; do ip netns pids $pod | xargs kill; done');
    for (const pod of ['web', 'api'])
      await site.node.typed(`del lab /var/run/netns/${pod} --container-id ${pod}`);
    await site.break('forward-policy-drop.sh');
    await site.break('forwarding-off.sh');
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('not masqueraded, though the rules are there', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(
      `nft 'table ip early { chain raw { type filter hook prerouting priority raw; ip saddr 10.50.0.0/28 notrack; }; }'`,
    );
    const { ids, findings } = await diagnosed(site);
    expect(ids).toEqual(['D036']);
    expect(findings[0]).toMatchObject({ object: 'network lab' });
  });

  test('a network without masquerade need not be masqueraded', async () => {
    await using site = await FaultSite.start('routed');
    expect(await diagnosed(site)).toEqual(sound);
  });
});

function dropping(rule: string): string {
  return `nft 'table inet mine { chain forward { type filter hook forward priority 5; ${rule}; }; }'`;
}
