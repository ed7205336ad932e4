import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';
import { diagnosed, sound } from './diagnosed.ts';

describe.if(requires('root', 'ip', 'nft'))('D033 interface-differs', () => {
  test.each([
    ['ip -n web link set eth0 down', '"eth0" in /var/run/netns/web is down, and 1 more'],
    ['ip -n web route del default', 'there is no route to 0.0.0.0/0 in /var/run/netns/web'],
    [
      'ip -n web addr del 10.50.0.2/28 dev eth0; ip -n web addr add 10.50.0.12/28 dev eth0; ip -n web route add default via 10.50.0.1',
      '10.50.0.2/28 is no address of "eth0" in /var/run/netns/web',
    ],
  ])('%s', async (command, cause) => {
    await using site = await FaultSite.start();
    await site.node.sh(command);
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: ['D033'] });
    expect(findings[0]).toMatchObject({ object: 'container web eth0', severity: 'error', cause });
    for (const line of findings[0].fix) await site.node.sh(line);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('another interface has the name', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(
      'ip -n api link set eth0 down; ip -n api link set eth0 name was0; ip -n api link add eth0 type veth',
    );
    const { findings } = await diagnosed(site);
    expect(findings[0]).toMatchObject({
      ...{ id: 'D033', object: 'container api eth0' },
      fix: ['start the pod anew'],
    });
  });

  test('more addresses, more routes and more interfaces are nothing wrong', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`
      ip -n web addr add 10.50.0.12/28 dev eth0
      ip -n web addr add fd00:50::12/64 dev eth0 nodad
      ip -n web route add 10.99.0.0/24 via 10.50.0.1
      ip -n web link add tun0 type veth`);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('where a plugin of the chain moves routes elsewhere they are not compared', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(
      `${process.execPath} -e '
        const { readFileSync, writeFileSync } = require("fs");
        const path = "/var/lib/cni/results/lab-web-eth0";
        const entry = JSON.parse(readFileSync(path, "utf8"));
        const list = JSON.parse(Buffer.from(entry.config, "base64"));
        list.plugins.push({ type: "sbr" });
        entry.config = Buffer.from(JSON.stringify(list)).toString("base64");
        writeFileSync(path, JSON.stringify(entry));'
      ip -n web route del default`,
    );
    expect((await diagnosed(site)).ids).not.toContain('D033');
  });
});

describe.if(requires('root', 'ip', 'nft'))('D034 peer-route-missing', () => {
  test('gone, and put back', async () => {
    await using site = await FaultSite.start('routed');
    expect(await diagnosed(site)).toEqual(sound);
    await site.break('peer-route-missing.sh');
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: ['D034'] });
    expect(findings[0].cause).toBe('there is no route to 10.70.0.0/24 via 192.0.2.2');
    await site.node.sh(findings[0].fix[0]);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('somebody else has another way', async () => {
    await using site = await FaultSite.start('routed');
    await site.node.sh('ip route del 10.70.0.0/24; ip route add 10.70.0.0/24 via 192.0.2.77');
    const { ids, findings } = await diagnosed(site);
    expect(ids).toEqual(['D034']);
    expect(findings[0]).toMatchObject({
      cause: expect.stringContaining('leads elsewhere'),
      fix: [expect.stringMatching(/^see who made it/)],
      undo: [],
    });
  });

  test('without a container of the network nobody has set it', async () => {
    await using site = await FaultSite.start();
    site.node.configure('20-far.conflist', {
      ...{ cniVersion: '1.1.0', name: 'far' },
      plugins: [
        {
          ...{ type: 'bridge', bridge: 'br-far' },
          ipam: { type: 'host-local', subnet: '10.55.0.0/24' },
        },
        { type: 'host-routes', routes: [{ dst: '10.71.0.0/24', gw: '192.0.2.2' }] },
      ],
    });
    expect(await diagnosed(site)).toEqual(sound);
  });
});

describe.if(requires('root', 'ip', 'nft'))('D035 host-port-taken', () => {
  test('by a process of the node', async () => {
    await using site = await FaultSite.start();
    await site.break('host-port-taken.sh');
    const { status, ids, findings } = await diagnosed(site);
    expect({ status, ids }).toEqual({ status: 1, ids: ['D035'] });
    expect(findings[0]).toMatchObject({ object: 'container web eth0', severity: 'warning' });
    expect(findings[0].cause).toMatch(/^".+" \(process \d+\) listens on its host port 8080\/tcp$/);
    expect(findings[0].evidence[0].text).toContain('00000000:1F90');
  });

  test('a listener on another port or protocol, and one in a container, are nobody’s rivals', async () => {
    await using site = await FaultSite.start();
    const listen = `require("net").createServer().listen`;
    await site.node.sh(`
      ${process.execPath} -e '${listen}(8081, "0.0.0.0")' >/dev/null 2>&1 &
      ${process.execPath} -e 'require("dgram").createSocket("udp4").bind(8080)' >/dev/null 2>&1 &
      ip netns exec api ${process.execPath} -e '${listen}(8080, "0.0.0.0")' >/dev/null 2>&1 &
      until ss -ltn | grep -q ':8081 ' && ss -lun | grep -q ':8080 '; do sleep 0.02; done
      until ip netns exec api ss -ltn | grep -q ':8080 '; do sleep 0.02; done`);
    expect(await diagnosed(site)).toEqual(sound);
  });

  test('by another container', async () => {
    await using site = await FaultSite.start();
    // As a runtime writes it that was not refused.
    await site.node.sh(`${process.execPath} -e '
      const { readFileSync, writeFileSync } = require("fs");
      const read = (name) => JSON.parse(readFileSync("/var/lib/cni/results/" + name, "utf8"));
      const [web, api] = [read("lab-web-eth0"), read("lab-api-eth0")];
      writeFileSync("/var/lib/cni/results/lab-api-eth0",
        JSON.stringify({ ...api, capabilityArgs: web.capabilityArgs }));'`);
    const { findings } = await diagnosed(site);
    expect(findings.find(({ id }) => id === 'D035')).toMatchObject({
      severity: 'error',
      cause: expect.stringContaining('its host port 8080/tcp is that of container'),
    });
  });
});
