import { expect, test } from 'bun:test';
import {
  addressField,
  dport,
  interfaceNameField,
  l4proto,
  loadFields,
} from '../../../src/kernel/nftables/concatenation.ts';

// The registers are those of `nft --debug=netlink`.
test.each([
  ['ip daddr . meta l4proto . th dport', [addressField('daddr', 4), l4proto, dport], [1, 9, 10]],
  ['ip6 daddr . meta l4proto . th dport', [addressField('daddr', 16), l4proto, dport], [1, 2, 13]],
  ['meta l4proto . th dport', [l4proto, dport], [1, 9]],
  [
    'iifname . oifname . ip6 daddr',
    [interfaceNameField('iifname'), interfaceNameField('oifname'), addressField('daddr', 16)],
    [1, 2, 3],
  ],
])('%s', (_, fields, registers) => {
  const loaded = loadFields(...fields).map((expression) => 'register' in expression && expression.register);
  expect(loaded).toEqual(registers);
});

test('an address is where the header of its family has it', () => {
  expect(loadFields(addressField('saddr', 4), addressField('daddr', 4))).toEqual([
    { name: 'payload', base: 'network', offset: 12, length: 4, register: 1 },
    { name: 'payload', base: 'network', offset: 16, length: 4, register: 9 },
  ]);
  expect(loadFields(addressField('daddr', 16))).toEqual([
    { name: 'payload', base: 'network', offset: 24, length: 16, register: 1 },
  ]);
});
