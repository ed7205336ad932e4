import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import {
  contains,
  family,
  formatCidr,
  formatIp,
  parseCidr,
  parseIp,
  parseMac,
  sameIp,
} from '../../src/cni/address.ts';

/** Any 16 bytes, with many zeros and not only few of them, so that `::` has something to stand for. */
const anyIpv6 = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));
const anyIpv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const anyIp = fc.oneof(anyIpv4, anyIpv6);
const anyCidr = anyIp.chain((ip) =>
  fc.nat(family(ip) === 4 ? 32 : 128).map((prefixLength) => ({ ip, prefixLength })),
);

describe('parseIp', () => {
  // What the reference's portmap 1.9.1 prints for a gateway of these spellings.
  const accepted = {
    '10.1.0.3': '10.1.0.3',
    '0.0.0.0': '0.0.0.0',
    '255.255.255.255': '255.255.255.255',
    '::': '::',
    '::1': '::1',
    '1::': '1::',
    'FD00::ABCD': 'fd00::abcd',
    '2001:0db8:0000:0000:0000:0000:0000:0001': '2001:db8::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
    '64:ff9b::10.1.0.3': '64:ff9b::a01:3',
    '1:2:3:4:5:6:10.1.0.3': '1:2:3:4:5:6:a01:3',
    '::ffff:10.1.0.3': '10.1.0.3',
    '::ffff:0a01:0003': '10.1.0.3',
  };
  for (const [text, canonical] of Object.entries(accepted)) {
    test(`${text} is ${canonical}`, () => {
      const ip = parseIp(text);
      expect(ip && formatIp(ip)).toBe(canonical);
    });
  }

  const refused = [
    '',
    ' ',
    '10.1.0',
    '10.1.0.3.4',
    '10.1.0.300',
    '10.1.0.03',
    '10.1..3',
    '10.1.0.3 ',
    '+1.1.1.1',
    '0x1.1.1.1',
    '1',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1::2::3',
    ':1::',
    '1:',
    '::1:',
    '::12345',
    '::g',
    'fe80::1%eth0',
    '10.1.0.3::',
    '::10.1.0.3:1',
    '::10.1.0.03',
    '1:2:3:4:5:6:7:10.1.0.3',
    '10.1.0.3/24',
  ];
  for (const text of refused)
    test(`${JSON.stringify(text)} is no address`, () => expect(parseIp(text)).toBeUndefined());

  test('agrees with the package ip-address', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) =>
        expect(formatIp(parseIp(text)!)).toBe(new Address4(text).correctForm()),
      ),
    );
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const other = new Address6(text);
        fc.pre(!other.isMapped4());
        expect(formatIp(parseIp(text)!)).toBe(other.correctForm());
      }),
    );
  });

  test('reads what formatIp writes', () => {
    fc.assert(fc.property(anyIp, (ip) => expect(sameIp(parseIp(formatIp(ip))!, ip)).toBe(true)));
  });

  test('returns 4 or 16 bytes or nothing for any text', () => {
    const pieces = fc.constantFrom('0', '1', '255', 'ffff', ':', '::', '.', '1.2.3.4', 'g', '%');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((some) => some.join('')),
        ),
        (text) => {
          expect([undefined, 4, 16]).toContain(parseIp(text)?.length);
        },
      ),
    );
  });
});

describe('parseCidr', () => {
  const accepted = {
    '10.1.0.3/24': '10.1.0.3/24',
    '10.1.0.3/0': '10.1.0.3/0',
    '10.1.0.3/32': '10.1.0.3/32',
    '10.1.0.3/08': '10.1.0.3/8',
    'FD00::5/64': 'fd00::5/64',
    '::/0': '::/0',
    '::1/128': '::1/128',
    '::ffff:10.1.0.3/120': '10.1.0.3/24',
    '::ffff:10.1.0.3/90': '10.1.0.3/0',
  };
  for (const [text, canonical] of Object.entries(accepted)) {
    test(`${text} is ${canonical}`, () => {
      const cidr = parseCidr(text);
      expect(cidr && formatCidr(cidr)).toBe(canonical);
    });
  }

  const refused = ['', '/', '/24', '10.1.0.3', '10.1.0.3/', '10.1.0.3/33', '10.1.0.3/+8', '10.1.0.3/-1'];
  refused.push('10.1.0.3/8/8', '10.1.0.3/ 8', '10.1.0.3/1e1', '10.1.0.3/255.0.0.0', '10.1.0.300/24');
  refused.push('::1/129', 'fe80::1%eth0/64', '10.1.0.3/99999999999999999999');
  for (const text of refused)
    test(`${JSON.stringify(text)} is no CIDR`, () => expect(parseCidr(text)).toBeUndefined());

  test('reads what formatCidr writes', () => {
    fc.assert(
      fc.property(anyCidr, (cidr) => expect(formatCidr(parseCidr(formatCidr(cidr))!)).toBe(formatCidr(cidr))),
    );
  });
});

describe('contains', () => {
  test.each([
    ['10.1.0.5/16', '10.1.255.255', true],
    ['10.1.0.5/16', '10.2.0.0', false],
    ['10.1.0.5/20', '10.1.15.1', true],
    ['10.1.0.5/20', '10.1.16.1', false],
    ['10.1.0.5/32', '10.1.0.5', true],
    ['10.1.0.5/32', '10.1.0.4', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '10.1.0.5', false],
    ['10.1.0.5/16', '::ffff:10.1.0.1', true],
    ['fd00::5/64', 'fd00::ffff:0:0:1', true],
    ['fd00::5/64', 'fd00:0:0:1::', false],
  ])('%s, %s: %p', (cidr, ip, expected) => {
    expect(contains(parseCidr(cidr)!, parseIp(ip)!)).toBe(expected);
  });

  test('agrees with the package ip-address', () => {
    const otherOf = (text: string) => (text.includes(':') ? new Address6(text) : new Address4(text));
    const near = anyCidr.chain((cidr) =>
      // One bit flipped: inside or outside by that bit alone.
      fc.nat(cidr.ip.length * 8 - 1).map((bit) => {
        const ip = Uint8Array.from(cidr.ip);
        ip[bit >> 3]! ^= 0x80 >> (bit & 7);
        return { cidr, ip };
      }),
    );
    fc.assert(
      fc.property(near, ({ cidr, ip }) => {
        fc.pre(family(cidr.ip) === family(ip));
        const expected = otherOf(formatIp(ip)).isInSubnet(otherOf(formatCidr(cidr)));
        expect(contains(cidr, ip)).toBe(expected);
      }),
    );
  });
});

test('sameIp looks through the IPv6 form of an IPv4 address', () => {
  const mapped = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 0, 3]);
  expect(family(mapped)).toBe(4);
  expect(formatIp(mapped)).toBe('10.1.0.3');
  expect(sameIp(mapped, parseIp('10.1.0.3')!)).toBe(true);
  expect(sameIp(mapped, parseIp('10.1.0.4')!)).toBe(false);
  expect(sameIp(parseIp('::1')!, parseIp('0.0.0.1')!)).toBe(false);
});

describe('parseMac', () => {
  const infiniBand = Array.from({ length: 20 }, (_, index) => (index + 0xa0).toString(16)).join(':');
  const accepted: Record<string, string> = {
    '0A:58:0a:01:00:03': '0a:58:0a:01:00:03',
    '0a-58-0a-01-00-03': '0a:58:0a:01:00:03',
    '0a58.0A01.0003': '0a:58:0a:01:00:03',
    '02:00:5e:10:00:00:00:01': '02:00:5e:10:00:00:00:01',
    '0200.5e10.0000.0001': '02:00:5e:10:00:00:00:01',
    [infiniBand]: infiniBand,
  };
  for (const [text, canonical] of Object.entries(accepted)) {
    test(`${text} is ${canonical}`, () => expect(parseMac(text)).toBe(canonical));
  }

  const refused = ['', '0a580a010003', '0a:58:0a:01:00', '0a:58:0a:01:00:03:04', '0a:58:0a-01:00:03'];
  refused.push('0a:58:0a:01:00:3', '0a:58:0a:01:00:0g', '0a:58:0a:01:00:03:', '0a58.0a01', '0a58:0a01:0003');
  refused.push('0a58.0a01.00:03', ' 0a:58:0a:01:00:03');
  for (const text of refused) {
    test(`${JSON.stringify(text)} is no hardware address`, () => expect(parseMac(text)).toBeUndefined());
  }
});
