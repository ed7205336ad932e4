import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { fixed, leases, mendedAfter, mendingNode, mendOf, results } from './mending-node.ts';

const gone = `mkdir -p ${leases} && printf 'gone\\r\\neth0' > ${leases}/10.50.0.9`;
const line = '- lease 10.50.0.9 of gone eth0 in network lab';

describe.if(requires('root', 'ip'))('leases without an owner', () => {
  test('are given back, and nobody else loses his', async () => {
    await using node = await mendingNode();
    await node.pod('web');
    await node.typed('add lab web');
    await node.sh(gone);
    await node.sh(`printf 'old' > ${leases}/10.50.0.8`);
    const answer = await fixed(node);
    expect(mendOf(answer, 'D001')).toMatchObject({
      done: ['- lease 10.50.0.8 of old in network lab', line],
      left: [],
    });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [], unseen: [] } });
    expect(node.files(leases)).toEqual(['10.50.0.2', 'last_reserved_ip.0', 'lock']);
    await node.typed('check lab web');
    await node.pod('db');
    await node.typed('add lab db');
    expect(node.files(leases)).toContain('10.50.0.3');
  });

  test.each([
    [
      'the address is there again',
      'ip netns add a && ip -n a addr add 10.50.0.9/24 dev lo',
      /^lo in .*has 10.50.0.9$/,
    ],
    [
      'its ADD is at work',
      'CNI_COMMAND=ADD CNI_CONTAINERID=gone CNI_IFNAME=eth0 sleep 5 >&- 2>&- &',
      /^process \d+ is at its ADD$/,
    ],
    [
      'another has it',
      `rm ${leases}/10.50.0.9; printf 'new\\r\\neth0' > ${leases}/10.50.0.9`,
      /^it was given away anew/,
    ],
  ])('stay when %s at the second look', async (_, script, reason) => {
    await using node = await mendingNode();
    await node.sh(gone);
    const { done, left } = await mendedAfter(node, 'D001', script);
    expect([done, left]).toEqual([
      [],
      [expect.stringContaining('lease 10.50.0.9 of gone eth0 in network lab: ')],
    ]);
    expect(left[0]?.split('network lab: ')[1]).toMatch(reason);
    expect(node.files(leases)).toContain('10.50.0.9');
  });

  test('that are gone by then are done', async () => {
    await using node = await mendingNode();
    await node.sh(gone);
    expect(await mendedAfter(node, 'D001', `rm ${leases}/10.50.0.9`)).toMatchObject({
      done: [line],
      left: [],
    });
    await node.sh(gone);
    expect(await mendedAfter(node, 'D001', `rm -r ${leases}`)).toMatchObject({ done: [line], left: [] });
    expect(node.files('/var/lib/cni/networks')).toEqual([]);
  });

  test('are given back on a node that is a container itself, whose own way out leads where it cannot see', async () => {
    await using node = await mendingNode([]);
    await node.sh(`ip netns add outside; ip link add up0 type veth peer name eth0 netns outside
      ip addr add 192.0.2.1/24 dev up0; ip link set up0 up; ip -n outside link set eth0 up
      ip route add default via 192.0.2.2`);
    await node.sh(gone);
    const inside = 'umount /run/netns/outside; exec cni-debug doctor --fix --min-age 1ms';
    const nested = `unshare --mount --pid --fork --mount-proc sh -c '${inside}'`;
    await node.sh('ip route del default');
    expect(await node.run(nested)).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('as that of up0: run it on the node'),
    });
    await node.sh('ip route add default via 192.0.2.2');
    const { status, stdout } = await node.run(nested);
    expect([status, stdout]).toEqual([0, expect.stringContaining('D001 network lab: 1 done')]);
  });

  test('stay where their namespaces cannot be seen, as from inside a container', async () => {
    await using node = await mendingNode([]);
    await node.pod('web');
    await node.typed('add lab web');
    await node.sh(`rm -r ${results}`);
    const inside = 'umount /run/netns/web; exec cni-debug doctor --fix --json --min-age 1ms';
    const stdout = await node.sh(
      `unshare --mount --pid --fork --mount-proc sh -c '${inside}' || [ $? = 3 ] && true`,
    );
    const { findings, unseen, mends } = JSON.parse(stdout);
    expect({ findings, mends }).toEqual({ findings: [], mends: [] });
    expect(unseen).toEqual([
      expect.stringMatching(
        /^containers: the other ends of veth pairs .* of veth[0-9a-f]{11}: run it on the node/,
      ),
    ]);
    expect(node.files(leases)).toContain('10.50.0.2');
  });
});
