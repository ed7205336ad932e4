import { describe, expect, test } from 'bun:test';
import { type Address, decodeAddress, listAddresses } from '../../../src/kernel/netlink/address.ts';
import { MalformedMessageError } from '../../../src/kernel/netlink/message.ts';
import { openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { requires } from '../../requirements.ts';
import { scratchNamespace } from '../scratch.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const captured = capturedPayloads('addresses', 20);

test('captured addresses', () => {
  expect(captured.map(decodeAddress)).toEqual([
    {
      index: 1,
      family: 4,
      address: '127.0.0.1',
      prefixLength: 8,
      flags: 0x80,
      scope: 254,
      label: 'lo',
    },
    { index: 3, family: 4, address: '10.22.0.5', prefixLength: 16, flags: 0x80, scope: 0, label: 'eth0' },
    // The other end is 10.22.0.1; ours is what counts.
    {
      index: 3,
      family: 4,
      address: '10.22.0.9',
      prefixLength: 32,
      flags: 0x80,
      scope: 0,
      label: 'eth0:far',
      peer: '10.22.0.1',
    },
    { index: 1, family: 6, address: '::1', prefixLength: 128, flags: 0x80, scope: 254, protocol: 1 },
    { index: 3, family: 6, address: 'fd00:22::5', prefixLength: 64, flags: 0x82, scope: 0 },
  ] satisfies Address[]);
});

test('other families are left out', () => {
  const payload = Buffer.from(captured[0]!);
  payload[0] = 45;
  expect(decodeAddress(payload)).toBeUndefined();
});

test('an address message without an address is refused', () => {
  expect(() => decodeAddress(captured[0]!.subarray(0, 8))).toThrow(MalformedMessageError);
});

test('mutated addresses', () => {
  expectNoCrash(captured, decodeAddress);
});

describe.if(requires('root', 'ip'))('a namespace', () => {
  test('listAddresses agrees with `ip address`', () => {
    const scratch = scratchNamespace(
      'link set lo up',
      'link add veth0 type veth peer name veth1',
      'link set veth0 up',
      'link set veth1 up',
      'address add 10.22.0.5/16 dev veth0',
      'address add 10.22.0.6/16 dev veth0',
      'address add 169.254.1.1/16 scope link dev veth1',
      'address add fd00:22::5/64 dev veth0 nodad',
      'address add 2001:db8:0:0:1::1/128 dev veth1 nodad noprefixroute',
    );
    try {
      interface IpAddress {
        ifindex: number;
        addr_info: { local: string; prefixlen: number; family: string; label?: string; scope: string }[];
      }
      const expected = scratch
        .show<IpAddress[]>('address')
        .flatMap(({ ifindex, addr_info }) =>
          addr_info.map(({ local, prefixlen, family, label }) => [
            ifindex,
            family === 'inet' ? 4 : 6,
            `${local}/${prefixlen}`,
            label,
          ]),
        );
      const namespace = openNamespace(scratch.path);
      const socket = openRouteSocket(namespace);
      namespace.close();
      const addresses = listAddresses(socket);
      socket.close();
      const found = addresses.map(({ index, family, address, prefixLength, label }) => [
        index,
        family,
        `${address}/${prefixLength}`,
        label,
      ]);
      expect(found.sort()).toEqual(expected.sort());
      expect(addresses.find(({ address }) => address === '169.254.1.1')?.scope).toBe(253);
      expect(addresses.find(({ address }) => address === '2001:db8::1:0:0:1')).toBeDefined();
    } finally {
      scratch.remove();
    }
  });
});
