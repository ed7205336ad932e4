import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { leases, mendingNode } from './mending-node.ts';

const macvlan = {
  ...{ type: 'macvlan', master: 'up0', mode: 'bridge' },
  ipam: { type: 'host-local', subnet: '10.51.0.0/24' },
};
const listener = `'${process.execPath}' -e 'require("net").createServer().listen("/run/runtime.sock")'`;

describe.if(requires('root', 'ip'))('doctor --fix where not every container can be seen', () => {
  test.each(['', ' --network lab', ' --dry-run'])(
    'touches nothing in the network of a container%s',
    async (words) => {
      await using node = await mendingNode();
      for (const name of ['web', 'db']) await node.pod(name);
      for (const name of ['web', 'db']) await node.typed(`add lab ${name}`);
      await node.sh('ip netns del db');
      const before = await node.snapshot();
      const { status, stderr } = await node.run(
        `ip netns exec web cni-debug doctor --fix --min-age 1ms${words}`,
      );
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(/^cni-debug doctor: nothing is mended: this is not the network of the node/),
      ]);
      expect(await node.snapshot()).toEqual(before);
      await node.typed('check lab web');
    },
  );

  test('nor does gc take the container that it runs in for gone', async () => {
    await using node = await mendingNode();
    await node.pod('web');
    await node.typed('add lab web');
    await node.run('ip netns exec web cni-debug gc lab');
    expect(node.files(leases)).toContain('10.50.0.2');
    await node.typed('check lab web');
  });

  test('touches nothing from inside one that shares the network of the node, and not its processes', async () => {
    await using node = await mendingNode();
    node.configure('20-mac.conflist', { cniVersion: '1.1.0', name: 'mac', plugins: [macvlan] });
    await node.sh('ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up');
    await node.pod('web');
    await node.typed('add mac web');
    const before = await node.snapshot();
    const inside = 'umount /run/netns/web; exec cni-debug doctor --fix --min-age 1ms';
    const nested = `unshare --mount --pid --fork --mount-proc sh -c '${inside}'`;
    const { status, stderr } = await node.run(
      `${listener} >/dev/null 2>&1 & until [ -S /run/runtime.sock ]; do sleep 0.1; done; ${nested}; s=$?; kill $!; exit $s`,
    );
    expect([status, stderr]).toEqual([
      3,
      expect.stringMatching(
        /nothing is mended: the process that listens on \/run\/runtime\.sock cannot be seen/,
      ),
    ]);
    expect(await node.snapshot()).toEqual(before);
    await node.typed('check mac web');
  });

  test('a runtime that is seen is no obstacle', async () => {
    await using node = await mendingNode();
    await node.sh(`mkdir -p ${leases} && printf 'gone\\r\\neth0' > ${leases}/10.50.0.9`);
    const { status, stderr } = await node.run(
      `${listener} >/dev/null 2>&1 & until [ -S /run/runtime.sock ]; do sleep 0.1; done; cni-debug doctor --fix --min-age 1ms; s=$?; kill $!; exit $s`,
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(node.files(leases)).not.toContain('10.50.0.9');
  });
});
