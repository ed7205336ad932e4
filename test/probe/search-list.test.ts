import { expect, test } from 'bun:test';
import { addressesInHosts } from '../../src/probe/hosts-file.ts';
import { namesToAsk, searchListOf } from '../../src/probe/search-list.ts';
import { parseTarget } from '../../src/probe/target.ts';

const search = ['a.test', 'b.test.'];

test.each([
  ['web', 1, ['web.a.test', 'web.b.test', 'web']],
  ['web.ns', 1, ['web.ns', 'web.ns.a.test', 'web.ns.b.test']],
  ['web.ns', 2, ['web.ns.a.test', 'web.ns.b.test', 'web.ns']],
  ['web.ns.', 5, ['web.ns']],
  ['web', 0, ['web', 'web.a.test', 'web.b.test']],
] as const)('%s with ndots:%d', (name, ndots, names) => {
  expect(namesToAsk(name, { search, ndots })).toEqual([...names]);
});

test('the root in a search list, and more domains than a pod may have', () => {
  expect(namesToAsk('web', { search: ['.'], ndots: 1 })).toEqual(['web']);
  const domains = Array.from({ length: 1000 }, (_, index) => `d${index}`);
  expect(namesToAsk('web', { search: domains, ndots: 1 })).toHaveLength(33);
});

test.each([
  ['', { search: [], ndots: 1 }],
  ['search a b\nsearch c\n# search d\noptions ndots:5 timeout:1\n', { search: ['c'], ndots: 5 }],
  ['search a b\ndomain  c d\noptions ndots:2\noptions ndots:99', { search: ['c'], ndots: 15 }],
])('%j', (text, list) => {
  expect(searchListOf(text)).toEqual(list);
});

test('/etc/hosts', () => {
  const text = '127.0.0.1\tlocalhost Web # web2\n# 10.0.0.1 web\nnothing web\n::1 web.test web\n';
  expect(addressesInHosts(text, 'WEB.').map(({ length }) => length)).toEqual([4, 16]);
  expect(addressesInHosts(text, 'web2')).toEqual([]);
});

test.each([
  ['10.96.0.1:443', { ip: Uint8Array.of(10, 96, 0, 1), port: 443 }],
  ['example.org:80', { name: 'example.org', port: 80 }],
  ['_svc.my-pod.:65535', { name: '_svc.my-pod.', port: 65_535 }],
  ...[
    'web',
    'web:0',
    'web:65536',
    ':80',
    '[web]:80',
    '10.96.0.256:80',
    '10.1:80',
    'a b:80',
    'a..b:80',
    '1:80',
    'é:80',
  ].map((text) => [text, undefined] as const),
] as const)('--to %s', (text, target) => {
  expect(parseTarget(text)).toEqual(target as never);
});
