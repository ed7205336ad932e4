import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';
import { diagnosed, sound } from './diagnosed.ts';
import { ofOther } from './doctor-node.ts';

/** For a shell: the ports of the bridge, and the first of them. */
const ports = `
ports() { ip -brief link show master br-lab | cut -d@ -f1; }
port() { ports | head -n 1; }
`;

/** Does what a finding says, and takes it back. */
async function run(site: FaultSite, commands: readonly string[]): Promise<void> {
  for (const command of commands) await site.node.sh(command);
}

describe.if(requires('root', 'ip', 'nft'))('D024 address-in-use-twice', () => {
  test('two containers: whose lease it is stays, and what the other has lost is a consequence', async () => {
    await using site = await FaultSite.start();
    await site.break('address-twice.sh');
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: ['D024'] });
    expect(findings[0]).toMatchObject({
      object: 'address 10.50.0.2',
      cause: expect.stringContaining('container web eth0'),
      fix: ["start this one anew, the lease is another's: container api eth0"],
      consequences: [{ id: 'D033', object: 'container api eth0' }],
    });
    expect((await diagnosed(site, '--min-age 1h')).ids).toEqual([]);
    expect((await diagnosed(site, `--min-age 1ms ${ofOther(site.node)}`)).ids).toEqual([]);
  });

  test('a container and the node', async () => {
    await using site = await FaultSite.start();
    await site.node.sh('ip addr add 10.50.0.3/32 dev br-lab');
    const { ids, findings } = await diagnosed(site);
    expect(ids).toEqual(['D024']);
    expect(findings[0].cause).toContain('the node itself');
  });

  test('the same address in networks that have nothing to do with each other is no fault', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`
      for name in one other; do
        ip netns add $name
        ip link add br-$name type bridge
        ip link add $name-host type veth peer name eth0 netns $name
        ip link set $name-host master br-$name up
        ip -n $name addr add 10.90.0.2/24 dev eth0
        ip -n $name addr add fd00:90::2/64 dev eth0 nodad
        ip -n $name link set eth0 up
      done
      ip -n web addr add 10.91.0.1/32 dev lo
      ip -n api addr add 10.91.0.1/32 dev lo
      ip -n web addr add fd00:50::2/64 dev eth0 nodad`);
    expect(await diagnosed(site)).toEqual(sound);
  });
});

describe.if(requires('root', 'ip', 'nft'))('D025 bridge-address', () => {
  test('another address: the commands of the finding put it right, and back', async () => {
    await using site = await FaultSite.start();
    await site.break('bridge-with-another-address.sh');
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: ['D025'] });
    expect(findings[0]).toMatchObject({
      object: 'bridge br-lab',
      cause: 'it has 10.99.0.1/28, and should have 10.50.0.1/28',
    });
    await run(site, findings[0].fix);
    expect(await diagnosed(site)).toEqual(sound);
    await run(site, findings[0].undo);
    expect((await diagnosed(site)).ids).toEqual(['D025']);
  });

  test('the configuration was changed under containers that live: their gateway stays', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`sed -i 's/10\\.50\\.0\\.0/10.60.0.0/' /etc/cni/net.d/10-lab.conflist`);
    const { ids, findings } = await diagnosed(site);
    expect(ids).toEqual(['D025']);
    expect(findings[0].fix).toEqual([expect.stringMatching(/^say in the configuration what the bridge has/)]);
    const { status, stderr } = await site.type('add lab outside --container-id late --ifname late0');
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('different from'),
    });
  });

  test('further addresses of a bridge are nothing wrong, nor is a bridge that nobody has used', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`
      ip addr add 169.254.1.1/32 dev br-lab
      ip link add br-lab2 type bridge
      sed 's/"lab"/"lab2"/; s/10\\.50\\.0\\.0/10.60.0.0/; s/br-lab/br-lab2/' /etc/cni/net.d/10-lab.conflist >/etc/cni/net.d/20-lab2.conflist`);
    expect(await diagnosed(site)).toEqual(sound);
  });
});

describe.if(requires('root', 'ip', 'nft'))('D026 bridge-down', () => {
  test.each([
    ['ip link set br-lab down', 'it is down, with 2 containers on it'],
    ['for one in $(ports); do ip link set $one nomaster; done', 'no port of it: 2 containers'],
    ['ip link set $(port) down', 'is down: container'],
    ['ip link set $(port) type bridge_slave state 1', 'a port does not forward: container'],
  ])('%s', async (command, cause) => {
    await using site = await FaultSite.start();
    await site.node.sh(`${ports}${command}`);
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, first: ids[0] }).toEqual({ status: 1, first: 'D026' });
    expect(findings[0]).toMatchObject({ object: 'bridge br-lab', cause: expect.stringContaining(cause) });
    await run(
      site,
      findings[0].fix.filter((line: string) => /^ip /.test(line)),
    );
    expect((await diagnosed(site)).ids).toEqual([]);
  });

  test('the bridge is gone', async () => {
    await using site = await FaultSite.start();
    await site.node.sh('ip link delete br-lab');
    const { ids, findings } = await diagnosed(site);
    expect(ids).toContain('D026');
    expect(findings.find(({ id }) => id === 'D026').cause).toBe(
      'it is not there, and 2 containers should be on it',
    );
  });
});

describe.if(requires('root', 'ip', 'nft'))('D027 mtu-differs', () => {
  test.each([
    ['ip link set br-lab mtu 1450', 'warning', 'the bridge has MTU 1450, and 2 containers 1500'],
    ['ip link set $(port) mtu 1400', 'error', /^the node's end, .* has MTU 1400/],
  ])('%s', async (command, severity, cause) => {
    await using site = await FaultSite.start();
    await site.node.sh(`${ports}${command}`);
    const { findings, ids } = await diagnosed(site);
    expect(new Set(ids)).toEqual(new Set(['D027']));
    expect(findings[0]).toMatchObject({ severity, cause: expect.stringMatching(cause) });
    for (const finding of findings) await run(site, finding.fix);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('the way out is narrower: good to know', async () => {
    await using site = await FaultSite.start();
    await site.break('path-mtu-smaller.sh');
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 0, ids: ['D027'] });
    expect(findings[0]).toMatchObject({ severity: 'info', object: 'network lab' });
  });

  test('a way out that takes more is nothing wrong', async () => {
    await using site = await FaultSite.start();
    await site.node.sh('ip link set up0 mtu 9000');
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('another MTU than the configuration asked for', async () => {
    await using site = await FaultSite.start();
    const bridge = { type: 'bridge', bridge: 'br-mtu', mtu: 1400, isGateway: true };
    const ipam = { type: 'host-local', subnet: '10.54.0.0/24' };
    site.node.configure('20-mtu.conflist', {
      ...{ cniVersion: '1.1.0', name: 'mtu' },
      plugins: [{ ...bridge, ipam }],
    });
    await site.node.pod('small');
    await site.node.typed('add mtu small');
    expect(await diagnosed(site)).toEqual(sound);
    await site.node.sh('ip -n small link set eth0 mtu 1300');
    const { findings } = await diagnosed(site);
    expect(findings.map(({ id, cause }) => `${id} ${cause}`)).toContainEqual(
      expect.stringMatching(/^D027 container \S+ eth0 has MTU 1300, and was to have 1400$/),
    );
  });
});
