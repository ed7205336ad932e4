import { expect, test } from 'bun:test';
import {
  areSameLinks,
  decodeCommonSysctls,
  decodeDeviceSysctls,
  getCommonSysctls,
  otherDeviceSysctls,
} from '../../../src/kernel/netlink/device-sysctl.ts';
import { dumpLinks } from '../../../src/kernel/netlink/link.ts';
import { openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { openNamespace, runIn } from '../../../src/kernel/netns.ts';
import { readSysctl, writeSysctl } from '../../../src/kernel/sysctl.ts';
import { requires } from '../../requirements.ts';
import { scratchNamespace } from '../scratch.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

test('captured settings of all links', () => {
  expect(capturedPayloads('netconf', 80).map(decodeCommonSysctls)).toEqual([
    { forwarding: 0, rp_filter: 0, proxy_arp: 0 },
  ]);
});

test.if(requires('root', 'ip'))('each setting has the value of its file', () => {
  const scratch = scratchNamespace('link add veth0 type veth peer name veth1');
  const namespace = openNamespace(scratch.path);
  try {
    runIn(namespace, () => {
      // No two settings beside each other have the same value then.
      const names = [
        'arp_notify',
        'route_localnet',
        'proxy_arp',
        'arp_ignore',
        'log_martians',
        'bc_forwarding',
      ];
      for (const [index, name] of names.entries()) writeSysctl(`net/ipv4/conf/veth0/${name}`, `${index % 2}`);
      for (const [name, value] of [
        ['accept_ra', 2],
        ['accept_dad', 0],
        ['keep_addr_on_down', 1],
        ['ndisc_notify', 1],
      ] as const)
        writeSysctl(`net/ipv6/conf/veth0/${name}`, `${value}`);
      writeSysctl('net/ipv4/ip_forward', '1');
      writeSysctl('net/ipv6/conf/default/proxy_ndp', '1');
      const socket = openRouteSocket();
      const [, , veth0] = dumpLinks(socket).map(decodeDeviceSysctls);
      const common = getCommonSysctls(socket);
      socket.close();
      const found = otherDeviceSysctls(veth0!);
      expect(found.length).toBeGreaterThan(60);
      for (const [name, value] of found) {
        const [family, setting] = name.split('/');
        let file: string;
        try {
          file = readSysctl(`net/${family}/conf/veth0/${setting}`);
        } catch {
          // Some are not built into every kernel, and a few are no files.
          continue;
        }
        expect(`${name} ${value}`).toBe(`${name} ${file}`);
      }
      expect(Object.fromEntries(common)).toEqual({
        ...{
          'ipv4/conf/all/forwarding': 1,
          'ipv4/conf/all/rp_filter': Number(readSysctl('net/ipv4/conf/all/rp_filter')),
        },
        ...{
          'ipv4/conf/all/proxy_arp': 0,
          'ipv4/conf/default/forwarding': 1,
          'ipv4/conf/default/proxy_arp': 0,
        },
        'ipv4/conf/default/rp_filter': Number(readSysctl('net/ipv4/conf/default/rp_filter')),
        ...{ 'ipv6/conf/all/forwarding': 0, 'ipv6/conf/all/proxy_ndp': 0 },
        ...{ 'ipv6/conf/default/forwarding': 0, 'ipv6/conf/default/proxy_ndp': 1 },
      });
    });
  } finally {
    namespace.close();
    scratch.remove();
  }
});

test('of two moments only what is other', () => {
  const [, payload] = capturedPayloads('links', 16);
  const before = decodeDeviceSysctls(payload!);
  expect(otherDeviceSysctls(before, before)).toEqual([]);
  const changed = Buffer.from(payload!);
  const { ipv6 } = decodeDeviceSysctls(changed);
  // accept_ra is the fourth.
  ipv6.writeInt32LE(0, 3 * 4);
  expect(otherDeviceSysctls(decodeDeviceSysctls(changed), before)).toEqual([['ipv6/accept_ra', 0, 1]]);
  expect(areSameLinks(changed, payload!)).toBe(true);
  // ifi_flags
  changed.writeUInt32LE(0x1003, 8);
  expect(areSameLinks(changed, payload!)).toBe(false);
});

test('mutated settings', () => {
  const links = capturedPayloads('links', 16);
  expectNoCrash(links, (payload) => {
    otherDeviceSysctls(decodeDeviceSysctls(payload));
    areSameLinks(payload, links[0]!);
  });
  expectNoCrash(capturedPayloads('netconf', 80), decodeCommonSysctls);
});
