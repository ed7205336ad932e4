import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { answered } from '../../program.ts';
import { answer, result } from '../debug/fake-plugin.ts';
import { FlannelCall } from './flannel.ts';

let call: FlannelCall;
beforeEach(() => {
  call = new FlannelCall();
});
afterEach(() => call.remove());

/** As the reference writes it. */
const old = { cniVersion: '0.3.1', ipam: { ranges: [] }, mtu: 1400, name: 'net', type: 'fake' };
const ok = { status: 0, stdout: '' };

describe('the state of an attachment', () => {
  test('is what its delegate was given, for root only, and is there before the delegate is', async () => {
    call.write(`ls -A ${call.dataDir} > "$d/seen"; ${answer(result)}`);
    await call.flannel('ADD');
    expect(call.text('seen')).toBe('c1:eth0\n');
    expect(call.state('c1:eth0')).toEqual(call.configurationGiven());
    expect([call.modeOf('.'), call.modeOf('c1:eth0')]).toEqual([0o700, 0o600]);
  });

  test('is its own, also where names run together', async () => {
    const attachments = [
      { CNI_CONTAINERID: 'a-b', CNI_IFNAME: 'c' },
      { CNI_CONTAINERID: 'a', CNI_IFNAME: 'b-c' },
      { CNI_CONTAINERID: 'a', CNI_IFNAME: 'ö"$(x)' },
    ];
    for (const variables of attachments) await call.flannel('ADD', {}, variables);
    expect(call.states()).toEqual(['a-b:c', 'a:b-c', 'a:ö"$(x)']);
    for (const variables of attachments) expect(await call.flannel('DEL', {}, variables)).toMatchObject(ok);
    expect(call.states()).toEqual([]);
  });

  test('decides at DEL, not what is configured by then', async () => {
    await call.flannel('ADD', { delegate: { type: 'fake', made: 'so' } });
    rmSync(call.subnetFile);
    const changed = { delegate: { type: 'other' }, runtimeConfig: { mac: '02:00:00:00:00:01' } };
    expect(await call.flannel('DEL', changed)).toMatchObject(ok);
    expect(call.configurationGiven('DEL')).toMatchObject({
      ...{ type: 'fake', made: 'so', mtu: 1450 },
      runtimeConfig: { mac: '02:00:00:00:00:01' },
    });
    expect(call.states()).toEqual([]);
  });

  test('of another network is left alone by DEL, which says so', async () => {
    await call.flannel('ADD', { name: 'before' });
    const { stderr, ...rest } = await call.flannel('DEL', { name: 'after' });
    expect(rest).toMatchObject(ok);
    expect(stderr).toContain(`${join(call.dataDir, 'c1:eth0')} is of network "before"`);
    expect(call.states()).toEqual(['c1:eth0']);
    expect(await call.flannel('DEL', { name: 'before' })).toMatchObject({ ...ok, stderr: '' });
  });

  test('stays until DEL has succeeded', async () => {
    await call.flannel('ADD');
    call.write('exit 3');
    expect(await call.fail('DEL')).toMatchObject({ code: 101 });
    expect(call.states()).toEqual(['c1:eth0']);
    call.write('');
    expect(await call.flannel('DEL')).toMatchObject(ok);
    expect(call.states()).toEqual([]);
  });

  test('stays when a failed ADD could not be undone', async () => {
    call.write('exit 3');
    const { stderr } = await call.flannel('ADD');
    expect(stderr).toContain('flannel: fake: DEL after the failed ADD: ');
    expect(call.states()).toEqual(['c1:eth0']);
  });

  test('stays for the DEL of whoever ends the call, which is not undone then', async () => {
    expect(answered(await call.end())).toMatchObject({ msg: expect.stringContaining('SIGTERM') });
    expect(call.commands()).toEqual(['ADD']);
    expect(call.states()).toEqual(['c1:eth0']);
    call.write('');
    expect(await call.flannel('DEL')).toMatchObject(ok);
    expect(call.states()).toEqual([]);
  });

  test('is that of the first ADD, when a second one fails, which removes nothing', async () => {
    await call.flannel('ADD', { delegate: { type: 'fake', made: 'first' } });
    call.write('exit 3');
    await call.fail('ADD');
    expect(call.state('c1:eth0')).toMatchObject({ made: 'first' });
    expect(call.commands()).toEqual(['ADD', 'ADD']);
  });

  test('that cannot be written fails ADD before anything is made', async () => {
    const dataDir = '/proc/none';
    const { msg } = await call.fail('ADD', { dataDir });
    expect(msg).toContain(dataDir);
    expect(call.commands()).toEqual([]);
  });
});

describe('a file of the reference', () => {
  test('is what DEL of the container goes by, and is then removed', async () => {
    call.writeState('c1', old);
    expect(await call.flannel('DEL', {}, { CNI_NETNS: '/run/netns/x' })).toMatchObject(ok);
    expect(call.onlyGiven()).toEqual({ ...old, cniVersion: '1.0.0' });
    expect(call.calls()[0]?.environment.CNI_NETNS).toBe('/run/netns/x');
    expect(call.states()).toEqual([]);
  });

  test('is what CHECK goes by', async () => {
    call.writeState('c1', { ...old, ipam: { ranges: [[{ subnet: '192.168.22.128/26' }]] } });
    expect(await call.flannel('CHECK', { prevResult: result })).toMatchObject(ok);
    expect(call.onlyGiven()).toMatchObject({ mtu: 1400, prevResult: result });
  });

  test('stays for another interface, when this one has a state of its own', async () => {
    await call.flannel('ADD', {}, { CNI_IFNAME: 'eth1' });
    call.writeState('c1', old);
    expect(await call.flannel('DEL', {}, { CNI_IFNAME: 'eth1' })).toMatchObject(ok);
    expect(call.states()).toEqual(['c1']);
    expect(call.configurationGiven('DEL').mtu).toBe(1450);
  });

  test('of another network is left alone', async () => {
    call.writeState('c1', { ...old, name: 'other' });
    expect(await call.flannel('DEL')).toMatchObject(ok);
    expect(call.states()).toEqual(['c1']);
    expect(call.onlyGiven().mtu).toBe(1450);
  });
});

describe('DEL without a state', () => {
  test('asks the delegate all the same, by what flanneld says, and without the namespace', async () => {
    expect(await call.flannel('DEL')).toMatchObject({ ...ok, stderr: '' });
    expect(call.onlyGiven()).toMatchObject({ mtu: 1450, ipMasq: true });
    expect(call.calls()[0]?.environment.CNI_NETNS).toBe('');
  });

  test('takes the subnet from prevResult when flanneld says nothing', async () => {
    rmSync(call.subnetFile);
    const { stderr, ...rest } = await call.flannel('DEL', { prevResult: result });
    expect(rest).toMatchObject(ok);
    expect(stderr).toContain(`${call.subnetFile} does not exist`);
    expect(call.onlyGiven()).toMatchObject({
      ipam: { ranges: [[{ subnet: '10.22.0.0/16' }]] },
      ipMasq: true,
    });
    expect(await call.flannel('DEL')).toMatchObject(ok);
  });

  test.each([
    ['fails', { type: 'fake' }],
    ['is not there', { type: 'none' }],
  ])('succeeds as the reference would, also when the delegate %s', async (_, delegate) => {
    call.write('exit 3');
    const { stderr, ...rest } = await call.flannel('DEL', { delegate });
    expect(rest).toMatchObject(ok);
    expect(stderr).toContain(
      `there is no state of this attachment, and "${delegate.type}" could not be asked: `,
    );
  });

  test('succeeds where none can be', async () => {
    symlinkSync(call.dataDir, call.dataDir);
    expect(await call.flannel('DEL')).toMatchObject(ok);
    expect(call.commands()).toEqual(['DEL']);
  });

  test('is an error when nobody knows whom to ask', async () => {
    expect(await call.fail('DEL', { delegate: [] })).toMatchObject({
      code: 7,
      msg: 'delegate: [] is not an object',
    });
  });

  test('of which it is not known where the addresses were taken from, is an error', async () => {
    expect(await call.fail('DEL', { ipam: [] })).toMatchObject({ code: 7, msg: 'ipam: [] is not an object' });
    expect(call.commands()).toEqual(['DEL']);
    await call.flannel('ADD');
    expect(await call.flannel('DEL', { ipam: [] })).toMatchObject(ok);
  });

  test('of which it is not known where, is an error', async () => {
    expect(await call.fail('DEL', { dataDir: 1 })).toMatchObject({
      code: 7,
      msg: 'dataDir: 1 is not a string',
    });
  });
});

describe.each([
  ['empty', ''],
  ['cut', '{"cniVersion":"1.0.0","ipam":{"ra'],
  ['no object', '[]'],
  ['without a type', '{"name":"net"}'],
  ['of this plugin itself', '{"name":"net","type":"flannel"}'],
  ['of what leads back to it', '{"name":"net","type":"debug","delegate":{"type":"flannel"}}'],
])('a state that is %s', (_, text) => {
  test.each(['c1:eth0', 'c1'])('in %s does not keep DEL from removing everything', async (name) => {
    call.writeState(name, text);
    const { stderr, ...rest } = await call.flannel('DEL', {}, { CNI_NETNS: '/run/netns/x' });
    expect(rest).toMatchObject(ok);
    expect(stderr).toContain(`${join(call.dataDir, name)} is damaged: `);
    expect(call.onlyGiven()).toMatchObject({ type: 'fake', mtu: 1450 });
    expect(call.calls()[0]?.environment.CNI_NETNS).toBe('/run/netns/x');
    expect(call.states()).toEqual([]);
  });

  test('is what CHECK says', async () => {
    call.writeState('c1:eth0', text);
    const { code, msg } = await call.fail('CHECK', { prevResult: result });
    expect(code).toBe(100);
    expect(msg).toContain(`${join(call.dataDir, 'c1:eth0')} is damaged: `);
    expect(call.commands()).toEqual(['CHECK']);
  });
});

describe.each([
  ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ['a device', (path: string) => symlinkSync('/dev/zero', path)],
  ['a link to itself', (path: string) => symlinkSync(path, path)],
])('a state that is %s', (_, make) => {
  beforeEach(() => {
    mkdirSync(call.dataDir);
    make(join(call.dataDir, 'c1:eth0'));
  });

  test('does not keep DEL from removing everything', async () => {
    const { stderr, ...rest } = await call.flannel('DEL');
    expect(rest).toMatchObject(ok);
    expect(stderr).toContain('is damaged: ');
    expect(call.commands()).toEqual(['DEL']);
    expect(call.states()).toEqual([]);
  });

  test('is replaced by ADD', async () => {
    expect(await call.flannel('ADD')).toMatchObject({ status: 0 });
    expect(call.state('c1:eth0')).toEqual(call.configurationGiven());
  });
});

test('what was half written is gone after the next ADD, or DEL', async () => {
  for (const command of ['ADD', 'DEL']) {
    call.writeState('.c1:eth0', '{');
    chmodSync(join(call.dataDir, '.c1:eth0'), 0o400);
    expect(await call.flannel(command)).toMatchObject({ status: 0 });
    expect(call.states()).toEqual(command === 'ADD' ? ['c1:eth0'] : []);
  }
});
