import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { type Pod, Site } from '../site.ts';

describe.if(requires('root', 'ip', 'nft'))('CHECK', () => {
  let site: Site;
  let pod: Pod;
  beforeEach(() => {
    site = new Site();
    pod = site.pod('pod');
  });
  afterEach(() => site[Symbol.dispose]());

  test.each(['0.4.0', '1.0.0', '1.1.0'])('%s: what ADD made is sound', async (cniVersion) => {
    const ipam = site.ipam(['10.50.0.0/16', 'fd00:50::/64'], {
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
    });
    const keys = {
      cniVersion,
      isGateway: true,
      hairpinMode: true,
      ipMasq: true,
      macspoofchk: true,
      mtu: 1400,
      ipam,
    };
    const configuration = site.configuration({ ...keys, ipMasqBackend: 'nftables' });
    const prevResult = await site.add(configuration, { pod });
    const answer = await site.call('CHECK', { ...configuration, prevResult }, { pod });
    expect(answer).toMatchObject({ status: 0, stdout: '' });
  });

  test('an L2-only bridge is sound (ours)', async () => {
    const configuration = site.configuration({ ipam: undefined });
    const prevResult = await site.add(configuration, { pod });
    const answer = await site.call('CHECK', { ...configuration, prevResult }, { pod });
    expect(answer).toMatchObject({ status: 0, stdout: '' });
  });

  test.each([
    ['with a gateway', { isGateway: true }],
    ['without a gateway', {}],
    ['without IPAM (ours)', { ipam: undefined }],
  ])('a bridge %s is sound after another port came, whose MAC is lower', async (_, keys) => {
    const configuration = site.configuration(keys);
    const prevResult = await site.add(configuration, { pod });
    // A bridge that nobody gave a MAC takes the lowest of its ports.
    site.onNode(
      'ip',
      'link',
      'add',
      'low0',
      'address',
      '02:00:00:00:00:01',
      'type',
      'veth',
      'peer',
      'name',
      'low1',
    );
    site.onNode('ip', 'link', 'set', 'low0', 'master', 'cni0');
    const answer = await site.call('CHECK', { ...configuration, prevResult }, { pod });
    expect(answer).toMatchObject({ status: 0, stdout: '' });
  });

  test('every difference is in one error (ours)', async () => {
    const ipam = site.ipam(['10.50.0.0/16'], { routes: [{ dst: '10.60.0.0/16' }] });
    const configuration = site.configuration({ isGateway: true, ipam });
    const prevResult = await site.add(configuration, { pod });
    const [bridge, host] = prevResult.interfaces;
    site.inPod(pod, 'ip', 'addr', 'flush', 'dev', 'eth0');
    site.inPod(pod, 'ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:01');
    site.onNode('ip', 'link', 'set', host.name, 'nomaster');
    site.onNode('ip', 'link', 'set', 'cni0', 'address', '02:00:00:00:00:02');
    rmSync(join(site.leases, 'net', '10.50.0.2'));
    const { msg, details = '' } = await site.fail('CHECK', { ...configuration, prevResult }, { pod });
    const told = `${msg}\n${details}`;
    for (const word of [
      '10.50.0.2/16',
      '10.60.0.0/16',
      '02:00:00:00:00:01',
      '02:00:00:00:00:02',
      host.name,
      bridge.name,
    ]) {
      expect(told).toContain(word);
    }
    expect(told).toContain('host-local: Failed to find address added by container pod');
  });

  const broken: [string, object, (site: Site, pod: Pod) => void][] = [
    [
      'the interface is gone',
      {},
      (on, { netns }) => on.inPod({ name: '', netns }, 'ip', 'link', 'del', 'eth0'),
    ],
    ['the namespace is gone', {}, (on, one) => on.removeNamespace(one)],
    ['the bridge is gone', {}, (on) => on.onNode('ip', 'link', 'del', 'cni0')],
    [
      'the bridge does not hear everything any more',
      { promiscMode: true },
      (on) => on.onNode('ip', 'link', 'set', 'cni0', 'promisc', 'off'),
    ],
    ['the lease is gone', {}, (on) => rmSync(join(on.leases, 'net', '10.50.0.2'))],
    ['an address is missing', {}, (on, one) => on.inPod(one, 'ip', 'addr', 'flush', 'dev', 'eth0')],
  ];
  test.each(broken)('%s: an error', async (_, keys, breakIt) => {
    const configuration = site.configuration({ isGateway: true, ...keys });
    const prevResult = await site.add(configuration, { pod });
    breakIt(site, pod);
    expect(await site.fail('CHECK', { ...configuration, prevResult }, { pod })).toHaveProperty('msg');
  });

  test('a masquerade or spoof check that is missing is a difference (ours)', async () => {
    const configuration = site.configuration({ isGateway: true, ipMasq: true, macspoofchk: true });
    const prevResult = await site.add(configuration, { pod });
    site.onNode('nft', 'flush', 'ruleset');
    const { msg } = await site.fail('CHECK', { ...configuration, prevResult }, { pod });
    expect(msg).toMatch(/masquerad/i);
    // What the spoof check knows a port by.
    expect(msg).toContain(prevResult.interfaces[1].name);
    expect(msg).toContain(prevResult.interfaces[2].mac);
  });

  test('without prevResult: an error that says so', async () => {
    const configuration = site.configuration();
    await site.add(configuration, { pod });
    const { msg } = await site.fail('CHECK', configuration, { pod });
    expect(msg).toMatch(/prevResult/);
  });
});
