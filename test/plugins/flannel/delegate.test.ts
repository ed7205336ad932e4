import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { answered, builtInPath } from '../../program.ts';
import { answer, result } from '../debug/fake-plugin.ts';
import { FlannelCall, seed } from './flannel.ts';

const subnet = { type: 'host-local', ranges: [[{ subnet: '192.168.22.128/26' }]] };
const ipam = { ...subnet, routes: [{ dst: '192.168.0.0/16' }] };

describe('the delegate', () => {
  test('gets its own keys, and what flanneld says', async () => {
    using call = new FlannelCall();
    const { status, stdout } = await call.flannel('ADD', { delegate: { type: 'fake', own: { key: 1 } } });
    expect({ status, ...JSON.parse(stdout) }).toEqual({ status: 0, ...result });
    expect(call.configurationGiven()).toEqual({
      ...{ type: 'fake', own: { key: 1 }, name: 'net', cniVersion: '1.0.0' },
      ...{ ipMasq: true, mtu: 1450, ipam },
    });
  });

  test('keeps what it says itself of masquerading and MTU', async () => {
    using call = new FlannelCall();
    const delegate = { type: 'fake', ipMasq: false, mtu: 1300, isGateway: false };
    await call.flannel('ADD', { delegate });
    expect(call.configurationGiven()).toMatchObject(delegate);
  });

  test('does not masquerade when flanneld does, and is no bridge that needs a gateway', async () => {
    using call = new FlannelCall(seed.map((line) => line.replace('MASQ=false', 'MASQ=true')));
    await call.flannel('ADD');
    expect(call.configurationGiven()).toMatchObject({ ipMasq: false });
    expect(call.configurationGiven()).not.toHaveProperty('isGateway');
  });

  test('gets ranges of both families, and routes to all networks behind those that were asked for', async () => {
    using call = new FlannelCall([
      'FLANNEL_NETWORK=10.1.0.0/16,10.3.0.0/16',
      'FLANNEL_SUBNET=10.1.4.1/24',
      'FLANNEL_IPV6_NETWORK=fd00:1::/48',
      'FLANNEL_IPV6_SUBNET=fd00:1:0:4::1/64',
      'FLANNEL_MTU=1450',
      'FLANNEL_IPMASQ=true',
    ]);
    const routes = [
      { dst: '10.96.0.0/12', gw: '10.1.4.9' },
      { dst: '10.3.0.0/16', gw: '10.1.4.7' },
    ];
    await call.flannel('ADD', { ipam: { type: 'own', dataDir: '/d', ranges: 'replaced', routes } });
    expect(call.configurationGiven().ipam).toEqual({
      ...{ type: 'own', dataDir: '/d' },
      ranges: [[{ subnet: '10.1.4.0/24' }], [{ subnet: 'fd00:1:0:4::/64' }]],
      routes: [...routes, { dst: '10.1.0.0/16' }, { dst: 'fd00:1::/48' }],
    });
  });

  test('gets of runtimeConfig what it declares, of every command', async () => {
    using call = new FlannelCall();
    const runtimeConfig = { mac: '02:00:00:00:00:01', portMappings: [] };
    const keys = { delegate: { type: 'fake', capabilities: { mac: true } }, runtimeConfig };
    await call.flannel('ADD', keys);
    await call.flannel('CHECK', { ...keys, prevResult: result });
    await call.flannel('DEL', keys);
    for (const command of ['ADD', 'CHECK', 'DEL']) {
      const given = call.configurationGiven(command);
      expect(given.runtimeConfig).toEqual({ mac: runtimeConfig.mac });
      expect(given).not.toHaveProperty('capabilities');
    }
  });

  test('gets runtimeConfig and args, and on ADD no prevResult', async () => {
    using call = new FlannelCall();
    const passed = { runtimeConfig: { mac: '02:00:00:00:00:01' }, args: { cni: { ips: ['10.1.4.5'] } } };
    await call.flannel('ADD', { ...passed, prevResult: result });
    expect(call.configurationGiven()).toMatchObject(passed);
    expect(call.configurationGiven()).not.toHaveProperty('prevResult');
  });

  test.each(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])(
    'of version %s answers in it',
    async (cniVersion) => {
      using call = new FlannelCall();
      // As a delegate that answers in a version of its own.
      call.write(answer({ ...result, interfaces: undefined, ips: [{ address: '10.1.4.5/24' }] }));
      const reply = answered(await call.flannel('ADD', { cniVersion }));
      expect(reply.cniVersion).toBe(cniVersion);
      expect(call.configurationGiven().cniVersion).toBe(cniVersion);
      expect(reply.ip4?.ip ?? reply.ips[0].address).toBe('10.1.4.5/24');
    },
  );

  test('without a cniVersion is one of 0.1.0', async () => {
    using call = new FlannelCall();
    call.write(answer({ ip4: { ip: '10.1.4.5/24' } }));
    const reply = answered(await call.flannel('ADD', { cniVersion: undefined }));
    expect(reply).toEqual({ cniVersion: '0.1.0', ip4: { ip: '10.1.4.5/24' }, dns: {} });
  });

  test('has every command passed on, with what the runtime says', async () => {
    using call = new FlannelCall();
    const cniVersion = '1.1.0';
    const attachments = [{ containerID: 'c1', ifname: 'eth0' }];
    await call.flannel('ADD', { cniVersion });
    const prevResult = { ...result, cniVersion };
    expect(await call.flannel('CHECK', { cniVersion, prevResult })).toMatchObject({ status: 0, stdout: '' });
    expect(await call.flannel('STATUS', { cniVersion })).toMatchObject({ status: 0, stdout: '' });
    const valid = { 'cni.dev/valid-attachments': attachments };
    expect(await call.flannel('GC', { cniVersion, ...valid })).toMatchObject({ status: 0, stdout: '' });
    expect(await call.flannel('DEL', { cniVersion, prevResult })).toMatchObject({ status: 0, stdout: '' });
    expect(call.commands()).toEqual(['ADD', 'CHECK', 'STATUS', 'GC', 'DEL']);
    const added = call.configurationGiven('ADD');
    expect(call.configurationGiven('CHECK')).toEqual({ ...added, prevResult });
    expect(call.configurationGiven('DEL')).toEqual({ ...added, prevResult });
    expect(call.configurationGiven('STATUS')).toEqual(added);
    expect(call.configurationGiven('GC')).toEqual({ ...added, ...valid });
  });

  test('that fails at ADD gets its DEL, its error is the answer, and what it wrote on stderr is passed on', async () => {
    using call = new FlannelCall();
    call.write('echo oops >&2; [ $CNI_COMMAND = DEL ] || { echo \'{"code": 123, "msg": "no"}\'; exit 1; }');
    const failed = await call.flannel('ADD');
    expect(answered(failed)).toMatchObject({ code: 123, msg: 'no' });
    expect(failed.stderr).toBe('oops\noops\n');
    expect(call.commands()).toEqual(['ADD', 'DEL']);
    expect(call.states()).toEqual([]);
  });

  test('that answers with what is no result has failed', async () => {
    using call = new FlannelCall();
    call.write(answer({ cniVersion: '1.0.0', ips: [{ address: 'x' }] }));
    const { code, msg } = await call.fail('ADD');
    expect(code).toBe(101);
    expect(msg).toContain(
      `plugin "fake" (${call.path}) exited with status 0 on ADD but printed a wrong result`,
    );
    expect(msg).toContain('"x" is not a CIDR address');
    expect(call.commands()).toEqual(['ADD', 'DEL']);
    expect(call.states()).toEqual([]);
  });

  test('is in the folders of CNI_PATH, or the error names them', async () => {
    using call = new FlannelCall();
    const { code, msg } = await call.fail('ADD', { delegate: { type: 'none' } }, { CNI_PATH: '/a:/b' });
    expect({ code, msg }).toEqual({ code: 101, msg: 'plugin "none" was not found in /a, /b (CNI_PATH)' });
    expect(call.states()).toEqual([]);
    const status = { cniVersion: '1.1.0', delegate: { type: 'none' } };
    expect(await call.fail('STATUS', status)).toMatchObject({
      code: 50,
      msg: expect.stringContaining('"none"'),
    });
  });

  test('of one of our own types is the one in CNI_PATH, when that is another', async () => {
    using call = new FlannelCall();
    call.writeOther('host-local', answer(result));
    await call.flannel('ADD', { delegate: { type: 'host-local' } });
    expect(call.commandsWithTypes()).toEqual(['ADD host-local']);
  });

  test('bridge is our own, whatever CNI_PATH has', async () => {
    using call = new FlannelCall();
    call.writeOther('bridge', 'exit 3');
    const ipam = { dataDir: join(call.folder, 'leases') };
    const { status, stdout } = await call.flannel('STATUS', {
      cniVersion: '1.1.0',
      delegate: undefined,
      ipam,
    });
    expect({ status, stdout, commands: call.commands() }).toEqual({ status: 0, stdout: '', commands: [] });
  });

  test('of one of our own types runs in process, when CNI_PATH has no other', async () => {
    using call = new FlannelCall();
    for (const path of [builtInPath, call.folder]) {
      const data = { ipam: { dataDir: join(call.folder, 'leases') }, delegate: { type: 'host-local' } };
      const added = await call.flannel('ADD', data, { CNI_PATH: path });
      expect(answered(added).ips[0].address).toMatch(/^192\.168\.22\.13[01]\/26$/);
      expect(await call.flannel('DEL', data, { CNI_PATH: path })).toMatchObject({ status: 0 });
    }
    expect(call.states()).toEqual([]);
  });
});

describe('a configuration', () => {
  test.each([
    [{ delegate: { type: 'fake', name: 'x' } }, 'delegate.name: must not be there, flannel sets it'],
    [
      { delegate: { ipam: {} } },
      'delegate.ipam: must not be there, flannel sets it; put "ipam" beside "delegate"',
    ],
    [{ delegate: [] }, 'delegate: [] is not an object'],
    [{ delegate: { type: 1 } }, 'delegate.type: 1 is not a string'],
    [{ delegate: { type: '' } }, 'delegate.type: "" is not the name of a plugin'],
    [{ delegate: { type: '../x' } }, 'delegate.type: "../x" is not the name of a plugin'],
    [{ delegate: { type: 'flannel' } }, 'delegate.type: "flannel" is this plugin itself'],
    [
      { delegate: { type: 'debug', Delegate: [{ type: 'bridge' }, { type: 'flannel' }] } },
      'delegate.delegate[1].type: "flannel" is this plugin itself',
    ],
    [{ ipam: 'host-local' }, 'ipam: "host-local" is not an object'],
    [{ ipam: { routes: {} } }, 'ipam.routes: {} is not an array'],
    [{ ipam: { routes: [1] } }, 'ipam.routes[0]: 1 is not an object'],
    [{ subnetFile: 'subnet.env' }, 'subnetFile: "subnet.env" is not an absolute path'],
    [{ subnetFile: 1, dataDir: 'x' }, 'subnetFile: 1 is not a string; dataDir: "x" is not an absolute path'],
  ])('%j is refused', async (keys, msg) => {
    using call = new FlannelCall();
    for (const command of ['ADD', 'STATUS']) {
      expect(await call.fail(command, { cniVersion: '1.1.0', ...keys })).toMatchObject({ code: 7, msg });
    }
    expect(call.commands()).toEqual([]);
  });

  test('waits for flanneld, and STATUS says so', async () => {
    using call = new FlannelCall();
    const subnetFile = join(call.folder, 'later');
    const msg = `${subnetFile} does not exist: flanneld has not written it yet`;
    expect(await call.fail('ADD', { subnetFile })).toMatchObject({ code: 11, msg });
    expect(await call.fail('STATUS', { cniVersion: '1.1.0', subnetFile })).toMatchObject({ code: 50, msg });
    expect(call.commands()).toEqual([]);
    expect(call.states()).toEqual([]);
  });
});
