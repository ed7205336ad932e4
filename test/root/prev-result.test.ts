import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answered, debug, prevResult, run, type Scratch } from '../program.ts';
import { requires } from '../requirements.ts';
import { Node } from './node.ts';

const mac = '0a:58:0a:16:00:05';

describe.if(requires('root', 'ip'))('prevResult and the namespace', () => {
  let node: Node;
  let scratch: Scratch;

  beforeAll(() => {
    node = new Node();
    ({ scratch } = node);
    const ip = (...words: string[]) => node.inPod('ip', ...words);
    ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
    ip('link', 'set', 'eth0', 'address', mac, 'up');
    ip('link', 'set', 'peer0', 'up');
    ip('addr', 'add', '10.22.0.5/16', 'dev', 'eth0');
    ip('addr', 'add', 'fd00:22::5/64', 'dev', 'eth0', 'nodad');
    ip('route', 'add', 'default', 'via', '10.22.0.1');
    ip('route', 'add', 'fd00:23::/64', 'via', 'fd00:22::1');
  });
  afterAll(() => node.remove());

  /** Rules and messages of the findings of one ADD. */
  async function findings(
    result: object,
    keys: object = {},
    netns = node.netns,
  ): Promise<Record<string, string>> {
    const answer = await scratch.call('ADD', { prevResult: result, ...keys }, { CNI_NETNS: netns });
    expect(answer.status).toBe(0);
    const found: { rule: string; message: string }[] = scratch.records().at(-1).findings;
    return Object.fromEntries(found.map(({ rule, message }) => [rule, message]));
  }

  const sound = () => ({
    cniVersion: '1.0.0',
    interfaces: [{ name: 'cni0' }, { name: 'eth0', mac, sandbox: node.netns }],
    ips: [
      { address: '10.22.0.5/16', gateway: '10.22.0.1', interface: 1 },
      { address: 'fd00:22::5/64', gateway: 'fd00:22::1', interface: 1 },
    ],
    routes: [{ dst: '0.0.0.0/0' }, { dst: 'fd00:23::/64', gw: 'fd00:22::1' }],
  });

  test('a sound one has no findings, in each version', async () => {
    for (const cniVersion of ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0']) {
      expect(await findings({ ...sound(), cniVersion }, { cniVersion })).toEqual({});
    }
    const ip4 = { ip: '10.22.0.5/16', gateway: '10.22.0.1', routes: [{ dst: '0.0.0.0/0', gw: '10.22.0.1' }] };
    expect(await findings({ ip4 }, { cniVersion: '0.2.0' })).toEqual({});
  });

  test('the namespace is the same under every path', async () => {
    const link = join(scratch.folder, 'netns');
    symlinkSync(node.netns, link);
    expect(await findings(sound(), {}, link)).toEqual({});
  });

  test('all that the namespace does not have, at once', async () => {
    const { interfaces, ips, routes } = sound();
    const result = {
      ...sound(),
      interfaces: [...interfaces, { name: 'eth1', sandbox: node.netns }],
      ips: [...ips, { address: '10.22.0.6/16', interface: 1 }],
      routes: [...routes, { dst: '10.99.0.0/16', gw: '10.22.0.1' }],
    };
    result.interfaces[1] = { name: 'eth0', mac: '0a:58:0a:16:00:06', sandbox: node.netns };
    expect(await findings(result)).toEqual({
      'other-mac': `prevResult.interfaces[1].mac: "eth0" has ${mac}, not 0a:58:0a:16:00:06`,
      'missing-interface': `prevResult.interfaces[2].name: there is no interface "eth1" in ${node.netns}`,
      'missing-address': `prevResult.ips[2].address: 10.22.0.6/16 is no address of "eth0" in ${node.netns}`,
      'missing-route': `prevResult.routes[2]: there is no route to 10.99.0.0/16 via 10.22.0.1 in ${node.netns}`,
    });
  });

  test('another sandbox, none, and one that is no namespace', async () => {
    const file = join(scratch.folder, 'file');
    writeFileSync(file, '');
    const withSandbox = (sandbox?: string) => ({
      ...sound(),
      interfaces: [{ name: 'cni0' }, { name: 'eth0', mac, sandbox }],
    });
    expect(Object.keys(await findings(withSandbox(`/run/netns/${node.node}`)))).toEqual(['other-sandbox']);
    expect(Object.keys(await findings(withSandbox(file)))).toEqual(['other-sandbox']);
    expect(Object.keys(await findings(withSandbox(undefined)))).toContain('no-sandbox');
  });

  test('what is suspicious in itself', async () => {
    const result = {
      ...sound(),
      ips: [
        { address: '10.22.0.5/16', gateway: '10.99.0.1', interface: 1 },
        { address: '10.22.0.5/16', interface: 1 },
      ],
    };
    expect(await findings(result)).toMatchObject({
      'gateway-outside-subnet': 'prevResult.ips[0].gateway: 10.99.0.1 is outside the subnet of 10.22.0.5/16',
      'duplicate-address': 'prevResult.ips[1].address: 10.22.0.5/16 is also the address of prevResult.ips[0]',
      'route-without-address':
        'prevResult.routes[1].dst: fd00:23::/64 is of IPv6, and no address of the result is',
    });
  });

  test('a gateway outside a /32 is how such networks are meant', async () => {
    const ips = [{ address: '10.22.0.5/32', gateway: '169.254.1.1', interface: 1 }];
    expect(await findings({ ...sound(), ips, routes: [] })).not.toHaveProperty('gateway-outside-subnet');
  });

  test("the plugin's own namespace is told", async () => {
    expect(await findings(sound(), {}, '/proc/self/ns/net')).toHaveProperty('own-namespace');
  });

  test.each([
    ['a missing path', '/run/netns/nowhere', 'No such file or directory (ENOENT)'],
    ['a directory', '/tmp', 'is a directory, not a network namespace'],
    ['another kind of namespace', '/proc/self/ns/mnt', 'is a mnt namespace, not a network namespace'],
  ])('a CNI_NETNS that is %s is a finding', async (_, netns, message) => {
    expect((await findings(sound(), {}, netns))['namespace-unreadable']).toContain(message);
  });

  test('validate "off" looks at nothing', async () => {
    expect(await findings({ ips: [{ address: 'nonsense' }] }, { validate: 'off' })).toEqual({});
  });

  test('validate "warn" makes findings of what is malformed, and passes it on as it came', async () => {
    const result = { ...sound(), ips: [{ address: '10.1.0.300/24', interface: 7 }] };
    const answer = await scratch.call(
      'ADD',
      { prevResult: result, validate: 'warn' },
      { CNI_NETNS: node.netns },
    );
    expect(answered(answer)).toEqual(result);
    expect(scratch.records().at(-1).findings).toEqual([
      expect.objectContaining({ rule: 'malformed-result', object: 'prevResult.ips[0].address' }),
      expect.objectContaining({ rule: 'malformed-result', object: 'prevResult.ips[0].interface' }),
    ]);
  });

  test('validate "warn" understands a prevResult of another version by the version it names', async () => {
    const ip4 = { ip: '10.22.0.5/16', gateway: '10.22.0.1' };
    const old = { cniVersion: '0.2.0', ip4 };
    const answer = await scratch.call(
      'ADD',
      { prevResult: old, validate: 'warn' },
      { CNI_NETNS: node.netns },
    );
    expect(answered(answer)).toEqual({
      cniVersion: '1.0.0',
      ips: [{ address: ip4.ip, gateway: ip4.gateway }],
    });
    expect(scratch.records().at(-1).findings).toEqual([
      expect.objectContaining({ rule: 'malformed-result' }),
    ]);
  });

  test('CHECK with validate "warn" compares nothing with what is malformed', async () => {
    const keys = { prevResult: { ...sound(), interfaces: 5 }, validate: 'warn' };
    const answer = await scratch.call('CHECK', keys, { CNI_NETNS: node.netns });
    expect(answer).toMatchObject({ status: 0, stdout: '' });
    expect(Object.keys(scratch.records().at(-1).findings)).toHaveLength(1);
  });

  test('CHECK: another sandbox is a finding and no error', async () => {
    const [bridge, eth0] = sound().interfaces;
    const result = { ...sound(), interfaces: [bridge, { ...eth0, sandbox: `/run/netns/${node.node}` }] };
    const answer = await scratch.call('CHECK', { prevResult: result }, { CNI_NETNS: node.netns });
    expect(answer).toMatchObject({ status: 0, stdout: '' });
    expect(scratch.records().at(-1).findings).toEqual([expect.objectContaining({ rule: 'other-sandbox' })]);
  });

  test('validate "error" names all that is malformed', async () => {
    const result = { ...sound(), ips: [{ address: 5, gateway: 'x', interface: 2 }], routes: 'none' };
    const answer = await scratch.call('ADD', { prevResult: result }, { CNI_NETNS: node.netns });
    expect(answered(answer)).toMatchObject({ code: 7 });
    expect(answered(answer).msg.split('; ')).toEqual([
      'prevResult.ips[0].address: 5 is not a string',
      'prevResult.ips[0].gateway: "x" is not an IP address',
      'prevResult.routes: "none" is not an array',
      'prevResult.ips[0].interface: 2 is out of range: there are 2 interfaces',
    ]);
  });

  test('table 0 is the main one, however it is written', async () => {
    for (const table of ['0', '254', '254.0']) {
      const result = JSON.stringify({ ...sound(), cniVersion: '1.1.0' }).replace(
        '"dst":"0.0.0.0/0"',
        `$&,"table":${table}`,
      );
      const stdin = scratch
        .configuration({ cniVersion: '1.1.0', prevResult: 0 })
        .replace('"prevResult":0', `"prevResult":${result}`);
      const environment = scratch.environment('CHECK', { CNI_NETNS: node.netns });
      expect(await run(debug, { environment, stdin })).toMatchObject({ status: 0, stdout: '' });
    }
  });

  test('CHECK accepts what is sound, and needs prevResult', async () => {
    const sane = await scratch.call('CHECK', { prevResult: sound() }, { CNI_NETNS: node.netns });
    expect(sane).toMatchObject({ status: 0, stdout: '' });
    const without = await scratch.call('CHECK', {}, { CNI_NETNS: node.netns });
    expect(answered(without)).toMatchObject({
      code: 7,
      msg: expect.stringContaining('prevResult: is missing'),
    });
  });

  test('CHECK of a namespace that is gone is an error', async () => {
    const answer = await scratch.call('CHECK', { prevResult }, {});
    expect(answered(answer)).toMatchObject({ code: 100, msg: expect.stringContaining('(ENOENT)') });
  });
});
