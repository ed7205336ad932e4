import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';
import { diagnosed, sound } from './diagnosed.ts';
import { ofOther } from './doctor-node.ts';

/** As when a DEL removed the address and the runtime's memory, and nothing else. */
const forget =
  'rm -f /var/lib/cni/results/lab-api-eth0 /var/lib/cni/networks/lab/10.50.0.3 /var/log/cni-debug/journal.ndjson';

const reference = (name: string, keys: object, container: string) => `
cat >/tmp/${name}-$$.json <<'CALL'
${JSON.stringify({ cniVersion: '1.0.0', name, ...keys })}
CALL
ip netns add ${container}
CNI_COMMAND=ADD CNI_CONTAINERID=${container} CNI_NETNS=/run/netns/${container} CNI_IFNAME=eth0 \\
  CNI_PATH=/opt/cni/reference /opt/cni/reference/bridge </tmp/${name}-$$.json >/dev/null
rm /tmp/${name}-$$.json`;

const bridge = {
  ...{ type: 'bridge', bridge: 'br-old', isGateway: true, ipMasq: true },
  ipam: { type: 'host-local', subnet: '10.52.0.0/24' },
};

describe.if(requires('root', 'ip', 'nft'))('what is left of containers that are gone', () => {
  test('a veth of ours, whose other end somebody keeps', async () => {
    await using site = await FaultSite.start();
    expect(await diagnosed(site)).toEqual(sound);
    await site.break('orphaned-veth.sh');
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: ['D020'] });
    expect(findings[0]).toMatchObject({ object: 'network lab', severity: 'warning' });
    expect(findings[0].fix).toContainEqual(expect.stringMatching(/^ip link delete veth[0-9a-f]{11}$/));
    await site.node.sh(findings[0].fix[1]);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('a veth of a container that nobody knows, and that lives, is left alone', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(forget);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('a young namespace may be one that is being set up', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`${forget}; ip -n api link set eth0 down; ip -n api addr flush dev eth0`);
    await site.node.sh(`nft flush map inet cni_debug masquerade4`);
    expect((await diagnosed(site, '--min-age 1h')).ids).toEqual([]);
    expect((await diagnosed(site)).ids).toContain('D020');
  });

  test('a veth of the reference on the bridge of a network', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(
      'ip link add veth0a1b2c3d type veth peer name veth4e5f6071; ip link set veth0a1b2c3d master br-lab',
    );
    const { ids, findings } = await diagnosed(site);
    expect(ids).toEqual(['D020']);
    expect(findings[0]).toMatchObject({ object: 'bridge br-lab' });
  });

  test('what others have on the bridge, or elsewhere, is theirs', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`
      ip link add br-other type bridge
      ip link add veth0a1b2c3d type veth peer name veth4e5f6071
      ip link set veth0a1b2c3d master br-other
      ip link add uplink type veth peer name uplink1
      ip link set uplink master br-lab
      ip link add veth5a1b2c3d type veth peer name veth5e5f6071
      ip link set veth5a1b2c3d master br-lab up
      ip link set veth5e5f6071 up
      ip link add cali12345678 type veth peer name cali23456789`);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('elements of nftables, in whatever set they are', async () => {
    await using site = await FaultSite.start();
    // The pod with the host port: its maps are several.
    await site.node.sh(
      `ip netns pids web | xargs kill; ip netns del web; ${forget.replaceAll('api', 'web').replace('0.3', '0.2')}`,
    );
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: ['D021'] });
    expect(findings[0].object).toBe('network lab');
    expect(findings[0].evidence[0].source).toBe('nft list map inet cni_debug masquerade4');
    expect(findings[0].cause).toMatch(/^5 elements of nftables/);
    expect((await diagnosed(site, `--min-age 1ms ${ofOther(site.node)}`)).ids).toEqual([]);
    await site.type('gc lab');
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('elements of an address that a namespace has are left alone', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`${forget}; ip netns add other; ip -n other addr add 10.50.0.3/32 dev lo`);
    await site.node.sh('ip netns pids api | xargs kill; ip netns del api');
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('elements of a network are no orphans when another one is asked for', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(
      `sed 's/"lab"/"lab2"/; s/10\\.50\\.0\\.0/10.60.0.0/; s/br-lab/br-lab2/' /etc/cni/net.d/10-lab.conflist >/etc/cni/net.d/20-lab2.conflist`,
    );
    expect(await diagnosed(site, '--min-age 1ms --network lab2')).toEqual(sound);
  });
});

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('what the reference plugins left', () => {
  test('masquerade and MAC check in nftables', async () => {
    await using site = await FaultSite.start();
    const keys = { ...bridge, ipMasqBackend: 'nftables', macspoofchk: true };
    await site.node.sh(reference('old', keys, 'leaves'));
    expect(await diagnosed(site)).toEqual(sound);
    await site.node.sh('ip netns del leaves; rm -r /var/lib/cni/networks/old');
    const { ids, findings } = await diagnosed(site);
    expect(ids).toEqual(['D022', 'D022']);
    expect(findings.map(({ object }) => object)).toEqual(['network old', 'container leaves']);
    expect(findings[0].evidence[0].text).toMatch(/^ip saddr 10\.52\.0\.2 .* net: old, if: eth0, id: leaves"/);
    expect(findings[0].fix).toEqual(['cni-debug doctor --fix']);
  });

  test.if(requires('iptables'))('chains of iptables, with the commands that remove them', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(reference('old', { ...bridge, ipMasqBackend: 'iptables' }, 'leaves'));
    expect(await diagnosed(site)).toEqual(sound);
    await site.node.sh('ip netns del leaves; rm -r /var/lib/cni/networks/old');
    const { ids, findings } = await diagnosed(site);
    expect(ids).toEqual(['D022']);
    expect(findings[0].evidence[0].source).toMatch(/^iptables -t nat -S CNI-[0-9a-f]{24}$/);
    for (const command of findings[0].fix) await site.node.sh(command);
    expect(await diagnosed(site)).toEqual(sound);
  });
});
