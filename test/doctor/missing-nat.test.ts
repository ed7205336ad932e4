import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';
import { diagnosed, sound } from './diagnosed.ts';

describe.if(requires('root', 'ip', 'nft'))('what the firewall has lost', () => {
  test.each([
    ['nat-flushed', 'the firewall has lost what was made for 2 containers'],
    ['masquerade-missing', 'the firewall has lost what was made for container web eth0'],
    ['host-port-flushed', 'the firewall has lost what was made for container web eth0'],
  ])('%s', async (script, cause) => {
    await using site = await FaultSite.start();
    await site.break(`${script}.sh`);
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: ['D023'] });
    expect(findings[0]).toMatchObject({ object: 'network lab', cause, fix: ['cni-debug doctor --fix'] });
    expect((await diagnosed(site, '--min-age 1h')).ids).toEqual([]);
  });

  test('a route to the pods that leads elsewhere is no lost rule', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(
      'ip link add elsewhere type veth peer name nowhere; ip link set elsewhere up; ip route add 10.50.0.2/32 dev elsewhere',
    );
    expect((await diagnosed(site)).ids).not.toContain('D023');
  });

  test('the delegates of debug, and the check of MAC addresses', async () => {
    await using site = await FaultSite.start();
    const bridge = {
      ...{ type: 'bridge', bridge: 'br-in', isGateway: true, ipMasq: true, macspoofchk: true },
      ipam: { type: 'host-local', subnet: '10.53.0.0/24' },
    };
    site.node.configure('20-in.conflist', {
      ...{ cniVersion: '1.1.0', name: 'in' },
      plugins: [{ type: 'debug', cniOutput: false, delegate: bridge }],
    });
    await site.node.pod('inner');
    await site.node.typed('add in inner');
    expect(await diagnosed(site)).toEqual(sound);
    await site.node.sh('nft delete table bridge cni_debug');
    const { ids, findings } = await diagnosed(site);
    expect(ids).toEqual(['D023']);
    expect(findings[0]).toMatchObject({ object: 'network in' });
    expect(findings[0].evidence[0].source).toBe('nft list table bridge cni_debug');
  });
});

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('of the reference plugins', () => {
  const bridge = {
    ...{ type: 'bridge', bridge: 'br-old', isGateway: true, ipMasq: true, macspoofchk: true },
    ipam: { type: 'host-local', subnet: '10.52.0.0/24' },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  const ports = '{"portMappings": [{"hostPort": 8090, "containerPort": 90, "protocol": "tcp"}]}';

  async function withReference(backend: 'nftables' | 'iptables'): Promise<FaultSite> {
    const site = await FaultSite.start();
    site.node.configure('20-old.conflist', {
      ...{ cniVersion: '1.0.0', name: 'old' },
      plugins: [
        { ...bridge, ipMasqBackend: backend },
        { ...portmap, backend },
      ],
    });
    await site.node.pod('old');
    await site.node.typed([
      'add',
      'old',
      'old',
      '--plugin-dir',
      '/opt/cni/reference',
      '--capabilities',
      ports,
    ]);
    return site;
  }

  test.each([['nftables'], ['iptables']] as const)('kept in %s', async (backend) => {
    await using site = await withReference(backend);
    expect(await diagnosed(site, '--min-age 1ms --network old')).toEqual(sound);
    await site.node.sh('nft flush ruleset');
    const { ids, findings } = await diagnosed(site, '--min-age 1ms --network old');
    expect(ids).toEqual(['D023']);
    expect(findings[0].fix).toEqual([expect.stringContaining('start these pods anew')]);
  });

  test.if(requires('iptables'))('nothing is said where the older iptables may have it', async () => {
    await using site = await withReference('nftables');
    await site.node.sh('nft delete table inet cni_plugins_masquerade; iptables-legacy -t nat -N OTHER');
    expect((await diagnosed(site, '--min-age 1ms --network old')).ids).toEqual([]);
  });
});
