import { expect, test } from 'bun:test';
import { parseJson } from '../../src/cni/json.ts';
import { addressesIn } from '../../src/ipam/prev-result-addresses.ts';

test.each([
  ['{"ips":[{"address":"10.1.0.5/16"},{"address":"fd00::5/64"}]}', ['10.1.0.5/16', 'fd00::5/64']],
  ['{"ip4":{"ip":"10.1.0.5/16"},"IP6":{"ip":"fd00::5/64"}}', ['10.1.0.5/16', 'fd00::5/64']],
  ['{"ips":[null,{"address":5},"x",{}],"ip4":[]}', []],
  ['{"ips":{}}', []],
  ['"x"', []],
])('the addresses of %s', (text, addresses) => {
  expect(addressesIn(parseJson(text))).toEqual(addresses);
});

test('no prevResult has none', () => {
  expect(addressesIn(undefined)).toEqual([]);
});
