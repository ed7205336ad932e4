import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { result } from '../debug/fake-plugin.ts';
import { FlannelCall } from './flannel.ts';

let call: FlannelCall;
beforeEach(() => {
  call = new FlannelCall();
});
afterEach(() => call.remove());

const ok = { status: 0, stdout: '' };

describe('CHECK', () => {
  test('needs a prevResult', async () => {
    await call.flannel('ADD');
    expect(await call.fail('CHECK')).toMatchObject({ code: 7, msg: 'Required prevResult missing' });
  });

  test('says that the state is missing, and what the delegate says', async () => {
    const path = join(call.dataDir, 'c1:eth0');
    const missing = `1 difference between prevResult and the node: ${path} is missing`;
    expect(await call.fail('CHECK', { prevResult: result })).toMatchObject({ code: 100, msg: missing });
    call.write('echo \'{"code": 123, "msg": "no"}\'; exit 1');
    const error = await call.fail('CHECK', { prevResult: result });
    expect(error).toMatchObject({ code: 123, msg: 'no', details: missing });
  });

  test('says that flanneld has given the node another subnet', async () => {
    await call.flannel('ADD');
    const { name, prevResult } = { name: 'FLANNEL_SUBNET', prevResult: result };
    call.writeSubnet(
      'FLANNEL_NETWORK=192.168.0.0/16',
      `${name}=192.168.23.1/26`,
      'FLANNEL_MTU=1450',
      'FLANNEL_IPMASQ=false',
    );
    const { code, msg } = await call.fail('CHECK', { prevResult });
    expect(code).toBe(100);
    expect(msg).toEndWith(
      `the address is of 192.168.22.128/26, and ${call.subnetFile} gives this node 192.168.23.0/26`,
    );
  });

  test('is none of flanneld itself', async () => {
    const prevResult = { ...result, ips: [{ address: '192.168.22.130/26', interface: 0 }] };
    await call.flannel('ADD');
    rmSync(call.subnetFile);
    expect(await call.flannel('CHECK', { prevResult })).toMatchObject(ok);
  });
});

describe('GC', () => {
  const cniVersion = '1.1.0';
  const valid = (...ids: string[]) => ({
    cniVersion,
    'cni.dev/valid-attachments': ids.map((containerID) => ({ containerID, ifname: 'eth0' })),
  });
  const ofReference = (name: string) => ({ cniVersion, ipam: {}, name, type: 'fake' });
  const add = (containerID: string, ifName = 'eth0', keys: object = {}) =>
    call.flannel('ADD', { cniVersion, ...keys }, { CNI_CONTAINERID: containerID, CNI_IFNAME: ifName });

  test('has the attachments deleted that are not listed, and those of other networks left alone', async () => {
    for (const id of ['one', 'two']) await add(id);
    for (const id of ['one', 'two']) await add(id, 'eth1');
    await add('three', 'eth0', { name: 'other' });
    call.writeState('four', ofReference('net'));
    call.writeState('five', ofReference('other'));
    call.writeState('six:eth0', '');
    call.writeState('two', ofReference('net'));
    expect(await call.flannel('GC', valid('two'))).toMatchObject(ok);
    expect(call.states()).toEqual(['five', 'six:eth0', 'three:eth0', 'two', 'two:eth0']);
    const made = call.calls().slice(5);
    expect(made.map(({ command }) => command)).toEqual(['GC', 'DEL', 'DEL', 'DEL']);
    expect(
      made.slice(1).map(({ environment }) => [environment.CNI_CONTAINERID, environment.CNI_IFNAME]),
    ).toEqual(
      expect.arrayContaining([
        ['one', 'eth0'],
        ['one', 'eth1'],
        ['two', 'eth1'],
      ]),
    );
    for (const { environment, stdin } of made.slice(1)) {
      expect(environment.CNI_NETNS).toBe('');
      expect(JSON.parse(stdin)).toEqual(JSON.parse(call.calls()[0]?.stdin ?? ''));
    }
  });

  test('keeps the state of what could not be deleted, goes on, and says so', async () => {
    for (const id of ['one', 'two']) await add(id);
    call.write('[ $CNI_COMMAND = GC ] || [ $CNI_CONTAINERID = two ] || exit 3');
    expect(await call.fail('GC', valid())).toMatchObject({ code: 101 });
    expect(call.states()).toEqual(['one:eth0']);
  });

  test('without a list removes nothing', async () => {
    await add('one');
    expect(await call.flannel('GC', { cniVersion })).toMatchObject(ok);
    expect(call.states()).toEqual(['one:eth0']);
    expect(call.commands()).toEqual(['ADD', 'GC']);
  });

  test('is done without flanneld', async () => {
    await add('one');
    rmSync(call.subnetFile);
    expect(await call.flannel('GC', valid())).toMatchObject(ok);
    expect(call.states()).toEqual([]);
  });

  test('removes what an ADD had half written that was killed, when it is no more at it', async () => {
    for (const name of ['.one:eth0', '.two:eth0']) call.writeState(name, '{');
    utimesSync(join(call.dataDir, '.one:eth0'), 1, 1);
    expect(await call.flannel('GC', valid())).toMatchObject(ok);
    expect(call.states()).toEqual(['.two:eth0']);
  });
});
