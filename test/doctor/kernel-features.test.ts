import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';
import { diagnosed, sound } from './diagnosed.ts';

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('D032 kernel-feature-missing', () => {
  test.each(['macvlan', 'ipvlan', 'vlan', 'dummy', 'vrf', 'ptp'])(
    '%s: as the kernel itself says',
    async (type) => {
      await using site = await FaultSite.start();
      const kind = type === 'ptp' ? 'veth' : type;
      const more = {
        vlan: 'link up0 type vlan id 7',
        vrf: 'type vrf table 7',
        macvlan: 'link up0 type macvlan',
      };
      const words = (more as Record<string, string>)[type] ?? `type ${kind}`;
      const tried = await site.node.sh(
        `ip link add ${kind === 'ipvlan' ? 'link up0 ' : ''}name try0 ${words} 2>&1 || true`,
      );
      await site.node.sh('ip link delete try0 2>/dev/null || true');
      const isMissing = /Unknown device type|not supported/.test(tried);
      site.node.configure('20-more.conflist', {
        ...{ cniVersion: '1.0.0', name: 'more' },
        plugins: [
          {
            type,
            master: 'up0',
            vlanId: 7,
            vrfname: 'v',
            ipam: { type: 'host-local', subnet: '10.56.0.0/24' },
          },
        ],
      });
      const { ids, findings } = await diagnosed(site, '--min-age 1ms --network more');
      const found = ids.includes('D032');
      expect(found).toBe(isMissing);
      if (!isMissing) return;
      expect(findings.find(({ id }) => id === 'D032')).toMatchObject({
        object: 'node',
        cause: `its kernel has no links of kind "${kind}", which "${type}" of network more needs`,
      });
    },
  );

  test('flannel without br_netfilter', async () => {
    await using site = await FaultSite.start();
    site.node.configure('20-flannel.conflist', {
      ...{ cniVersion: '1.0.0', name: 'flannel' },
      plugins: [{ type: 'flannel' }],
    });
    const only = '--min-age 1ms --network flannel';
    expect((await diagnosed(site, only)).ids).not.toContain('D032');
    await site.node.sh('mount -t tmpfs tmpfs /proc/sys/net/bridge');
    const { findings } = await diagnosed(site, only);
    expect(findings.find(({ id }) => id === 'D032').cause).toContain('br_netfilter');
  });

  test('nothing of what was tried is left', async () => {
    await using site = await FaultSite.start();
    const before = await site.node.snapshot();
    expect(await diagnosed(site)).toEqual(sound);
    expect(await site.node.snapshot()).toEqual(before);
  });
});
