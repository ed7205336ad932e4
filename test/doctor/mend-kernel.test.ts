import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';
import { diagnosed, sound } from './diagnosed.ts';
import { fixed, mendedAfter, mendOf } from './mending-node.ts';

const ofApi = 'of api eth0 in network lab';

/** The same container again, with whatever address it gets. */
const again = 'ip netns add api; cni-debug add lab api --container-id api >/dev/null';
const plugin = (command: string) =>
  `CNI_COMMAND=${command} CNI_CONTAINERID=api CNI_IFNAME=eth0 sleep 5 >&- 2>&- &`;

describe.if(requires('root', 'ip', 'nft'))('a veth of ours whose container is gone', () => {
  test('goes away', async () => {
    await using site = await FaultSite.start();
    await site.break('orphaned-veth.sh');
    const answer = await fixed(site.node);
    expect(mendOf(answer, 'D020')).toMatchObject({
      done: [expect.stringMatching(new RegExp(`^- link veth[0-9a-f]{11} ${ofApi}$`))],
      left: [],
    });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [], unseen: [] } });
    expect(await diagnosed(site)).toEqual(sound);
    await site.node.typed('check lab web --container-id web');
  });

  test.each([
    ['somebody uses its other end', 'ip -n outside link set old0 up', 'somebody has it'],
    ['a plugin works for it', plugin('DEL'), 'is at its DEL'],
  ])('stays when %s at the second look', async (_, script, reason) => {
    await using site = await FaultSite.start();
    await site.break('orphaned-veth.sh');
    const { done, left } = await mendedAfter(site.node, 'D020', script);
    expect([done, left]).toEqual([[], [expect.stringContaining(reason)]]);
  });

  test('that was made anew under its name is another', async () => {
    await using site = await FaultSite.start();
    await site.break('orphaned-veth.sh');
    const { done } = await mendedAfter(site.node, 'D020', `ip -n outside link del old0; ${again}`);
    expect(done).toHaveLength(1);
    await site.node.typed('check lab api --container-id api');
  });
});

describe.if(requires('root', 'ip', 'nft'))('elements of containers that are gone', () => {
  test('go away, and their chains stay for the others', async () => {
    await using site = await FaultSite.start();
    await site.break('nat-without-owner.sh');
    const answer = await fixed(site.node);
    expect(mendOf(answer, 'D021')).toMatchObject({
      done: [expect.stringMatching(/^- element 10\.50\.0\.3 of .*masquerade4, comment ".* lab eth0 api"$/)],
      left: [],
    });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [], unseen: [] } });
    await site.node.typed('check lab web --container-id web');
  });

  test.each([
    ['the address is somewhere', 'ip netns add x; ip -n x addr add 10.50.0.3/24 dev lo', 'has 10.50.0.3'],
    ['a plugin works for it', plugin('ADD'), 'is at its ADD'],
    ['it was attached anew', again, 'the container is there'],
  ])('stay when %s at the second look', async (_, script, reason) => {
    await using site = await FaultSite.start();
    await site.break('nat-without-owner.sh');
    const { done, left } = await mendedAfter(site.node, 'D021', script);
    expect([done, left]).toEqual([[], [expect.stringContaining(reason)]]);
    if (script === again) await site.node.typed('check lab api --container-id api');
  });

  test('stay when their container is attached anew after the second look', async () => {
    await using site = await FaultSite.start();
    await site.break('nat-without-owner.sh');
    const { done, left } = await mendedAfter(site.node, 'D021', again, 'second');
    expect([done, left]).toEqual([[], [expect.stringContaining(' meanwhile')]]);
    await site.node.typed('check lab api --container-id api');
  });

  test('of a network whose name leaves no room for theirs stay while any plugin works', async () => {
    await using site = await FaultSite.start();
    const name = 'n'.repeat(90);
    const bridge = { type: 'bridge', bridge: 'br-long', ipMasq: true, isGateway: true };
    const ipam = { type: 'host-local', subnet: '10.54.0.0/24' };
    site.node.configure('20-long.conflist', { cniVersion: '1.0.0', name, plugins: [{ ...bridge, ipam }] });
    await site.node.pod('long');
    await site.node.typed(`add ${name} long --container-id api`);
    await site.node.sh(
      `rm -r /var/lib/cni/networks/${name} /var/lib/cni/results/${name}-*; ip netns del long`,
    );
    await site.node.sh('while ip link show type veth | grep -q br-long; do sleep 0.1; done');
    const { done, left } = await mendedAfter(site.node, 'D021', plugin('ADD'), 'second');
    expect([done, left]).toEqual([[], [expect.stringContaining('is at its ADD')]]);
  });

  test('whose address is another container’s by now are that container’s', async () => {
    await using site = await FaultSite.start();
    await site.break('nat-without-owner.sh');
    const other = 'ip netns add new; cni-debug add lab new --container-id new --args IP=10.50.0.3 >/dev/null';
    expect((await mendedAfter(site.node, 'D021', other)).left).toHaveLength(0);
    await site.node.typed('check lab new --container-id new');
  });
});

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('rules of the reference', () => {
  test('go away by their comment', async () => {
    await using site = await FaultSite.start();
    await site.break('reference-nat-without-owner.sh');
    const answer = await fixed(site.node);
    const { difference, done, left } = mendOf(answer, 'D022') ?? {};
    expect(done?.length).toBeGreaterThan(0);
    expect({ done, left }).toEqual({ done: difference, left: [] });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [], unseen: [] } });
    expect(await site.node.sh('nft list table inet cni_plugins_masquerade')).not.toContain('leaves');
  });

  test('that a DEL has left behind when it was killed go, and their chains', async () => {
    await using site = await FaultSite.start();
    const chain = 'bridge nat cni-br-iface-gone-eth0';
    await site.node.sh(`nft -f - <<'END'
      add table bridge nat
      add chain ${chain}
      add chain ${chain}-mac
      add rule ${chain} jump cni-br-iface-gone-eth0-mac comment "macspoofchk-gone-eth0"
      add rule ${chain}-mac ether saddr 02:cd:64:b6:bd:5a return comment "macspoofchk-gone-eth0"
      add rule ${chain}-mac drop comment "macspoofchk-gone-eth0"`);
    const answer = await fixed(site.node);
    expect(mendOf(answer, 'D022')).toMatchObject({
      done: [expect.stringContaining(`- rule of gone in ${chain}: jump cni-br-iface-gone-eth0-mac`)],
      left: [],
    });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [] } });
    expect(await site.node.sh('nft list table bridge nat')).not.toContain('gone');
  });

  test('stay when the address is somewhere at the second look', async () => {
    await using site = await FaultSite.start();
    await site.break('reference-nat-without-owner.sh');
    const script = 'ip netns add x; ip -n x addr add 10.52.0.2/24 dev lo';
    const { difference, done, left } = await mendedAfter(site.node, 'D022', script);
    expect([done.length, left.length]).toEqual([0, difference.length]);
    expect(await site.node.sh('nft list table inet cni_plugins_masquerade')).toContain('leaves');
  });
});

const fromOutside = (port: number) =>
  `timeout 5 ip netns exec outside bash -c 'exec 3<>/dev/tcp/192.0.2.1/${port}'`;
const toOutside = `timeout 5 ip netns exec web bash -c 'exec 3<>/dev/tcp/192.0.2.2/7000'`;

/** The reference's bridge makes a container of this ID. */
const byReference = (id: string) =>
  `printf '{"cniVersion":"1.0.0","name":"old","type":"bridge","bridge":"br-old","isGateway":true,"ipMasq":true,"ipMasqBackend":"nftables","ipam":{"type":"host-local","subnet":"10.52.0.0/24"}}' >/run/old.json
  ip netns add ${id}
  CNI_COMMAND=ADD CNI_CONTAINERID=${id} CNI_NETNS=/run/netns/${id} CNI_IFNAME=eth0 CNI_PATH=/opt/cni/reference /opt/cni/reference/bridge </run/old.json >/dev/null`;

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))(
  'after the second look, rules of the reference',
  () => {
    test('that have the handle of one that is gone are another container’s', async () => {
      await using site = await FaultSite.start();
      await site.break('reference-nat-without-owner.sh');
      const anew = `nft delete table inet cni_plugins_masquerade; ${byReference('new')}`;
      const { left } = await mendedAfter(site.node, 'D022', anew, 'second');
      expect(left).toEqual([]);
      expect(await site.node.sh('nft list table inet cni_plugins_masquerade')).toContain('id: new');
    });

    test('stay when their container has come back, or is about to', async () => {
      await using site = await FaultSite.start();
      await site.break('reference-nat-without-owner.sh');
      const working = 'CNI_COMMAND=ADD CNI_CONTAINERID=leaves CNI_IFNAME=eth0 sleep 5 >&- 2>&- &';
      const { done, left } = await mendedAfter(site.node, 'D022', working, 'second');
      expect([done, left]).toEqual([[], [expect.stringContaining('is at its ADD')]]);
      const same = `nft delete table inet cni_plugins_masquerade; rm -rf /var/lib/cni/networks/old; ${byReference('leaves')}`;
      await site.node.sh('while pidof sleep >/dev/null; do sleep 0.1; done');
      const back = await mendedAfter(site.node, 'D022', same, 'second');
      expect([back.done, back.left]).toEqual([[], [expect.stringContaining('was written meanwhile')]]);
    });
  },
);

describe.if(requires('root', 'ip', 'nft'))('what a firewall has lost', () => {
  test('is put back, and packets go their way', async () => {
    await using site = await FaultSite.start();
    await site.break('nat-flushed.sh');
    await expect(site.node.sh(fromOutside(8080))).rejects.toThrow();
    await expect(site.node.sh(toOutside)).rejects.toThrow();
    const answer = await fixed(site.node);
    expect(mendOf(answer, 'D023')).toMatchObject({
      done: expect.arrayContaining([
        '+ masquerade of web eth0 in network lab',
        '+ host port 8080/tcp of web eth0 in network lab',
        `+ masquerade ${ofApi}`,
      ]),
      left: [],
    });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [], unseen: [] } });
    for (const pod of ['web', 'api']) await site.node.typed(`check lab ${pod} --container-id ${pod}`);
    await site.node.sh(fromOutside(8080));
    await site.node.sh(toOutside);
  });

  test('is of no use to who was detached meanwhile', async () => {
    await using site = await FaultSite.start();
    await site.break('nat-flushed.sh');
    const { done, left } = await mendedAfter(site.node, 'D023', 'cni-debug del lab api --container-id api');
    expect(done).toHaveLength(2);
    expect(left).toEqual([`masquerade ${ofApi}: it was detached meanwhile`]);
    expect(await site.node.sh('nft list ruleset')).not.toContain(' api');
  });

  test('is not taken from who has it by now', async () => {
    await using site = await FaultSite.start();
    await site.break('nat-flushed.sh');
    const ports = '{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}';
    const taken = `ip netns add late; cni-debug add lab late --container-id late --capabilities '${ports}' >/dev/null`;
    const { done, left } = await mendedAfter(site.node, 'D023', taken);
    expect(done.toSorted()).toEqual([`+ masquerade ${ofApi}`, '+ masquerade of web eth0 in network lab']);
    expect(left).toEqual([
      expect.stringMatching(
        /^host port 8080\/tcp of web .* element tcp \. 8080 of .* belongs to another: ".* lab eth0 late"$/,
      ),
    ]);
    await site.node.typed('check lab late --container-id late');
  });

  test('waits for the plugin that works for the container', async () => {
    await using site = await FaultSite.start();
    await site.break('nat-flushed.sh');
    const { left } = await mendedAfter(site.node, 'D023', plugin('DEL'));
    expect(left).toEqual([expect.stringContaining('is at its DEL')]);
  });
});
