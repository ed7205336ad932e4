import { describe, expect, test } from 'bun:test';
import type { Change } from '../../src/trace/change.ts';
import { changeSentences } from '../../src/trace/change-sentences.ts';

const change = (kind: Change['kind'], object: string, more: Partial<Change> = {}): Change => ({
  ...{ plugin: 'bridge', namespace: 'host', kind, change: 'added', object },
  ...more,
});
const removed = { change: 'removed' } as const;
const changed = { change: 'changed' } as const;
const table = 'inet cni_debug';

/** The only sentence, without whose doing it is. */
const item = (...changes: Change[]): string => {
  const sentences = changeSentences({ changes });
  expect(sentences.length).toBe(1);
  return sentences[0]!.replace('bridge: ', '');
};

describe('one change', () => {
  test.each<[Change, string]>([
    [
      change('link', 'veth1', {
        new: { kind: 'veth', up: true, mtu: 1500, master: 'cni0', mac: '02:00:00:00:00:01' },
      }),
      '+ link veth1 (veth, up, port of cni0)',
    ],
    [
      change('link', 'cni0', { new: { kind: 'bridge', up: false, mtu: 1450 } }),
      '+ link cni0 (bridge, down, mtu 1450)',
    ],
    [
      change('link', 'mac0', { new: { kind: 'macvlan', up: true, link: 'up0', mode: 'bridge' } }),
      '+ link mac0 (macvlan, up, on up0, bridge)',
    ],
    [change('link', 'lo', { ...changed, old: { up: false }, new: { up: true } }), 'link lo up false -> true'],
    [
      change('link', 'eth0', { ...changed, old: {}, new: { master: 'cni0' } }),
      'link eth0 master none -> cni0',
    ],
    [change('link', 'eth0', { ...removed, old: { kind: 'veth' } }), '- link eth0 (veth)'],
    [change('address', '10.22.0.5/16', { of: 'eth0', new: {} }), '+ address 10.22.0.5/16 on eth0'],
    [
      change('route', '0.0.0.0/0', { new: { via: '10.22.0.1', dev: 'eth0', protocol: 'boot' } }),
      '+ route 0.0.0.0/0 via 10.22.0.1 dev eth0',
    ],
    [
      change('route', '::/0', { ...removed, old: { dev: 'eth0', metric: 1024, table: 100 } }),
      '- route ::/0 dev eth0 table 100',
    ],
    [
      change('route', '10.0.0.0/8', { new: { type: 'unreachable', metric: 7 } }),
      '+ route 10.0.0.0/8 unreachable metric 7',
    ],
    [
      change('rule', '100: from 10.22.0.5/32 lookup 100', { new: { family: 'ipv4' } }),
      '+ rule 100: from 10.22.0.5/32 lookup 100',
    ],
    [
      change('neighbour', '10.22.0.7', { of: 'eth0', new: { mac: '02:00:00:00:00:07' } }),
      '+ neighbour 10.22.0.7 on eth0 (02:00:00:00:00:07)',
    ],
    [
      change('sysctl', 'net.ipv4.conf.cni0.route_localnet', {
        ...changed,
        old: { value: 0 },
        new: { value: 1 },
      }),
      'sysctl net.ipv4.conf.cni0.route_localnet 0 -> 1',
    ],
    [change('sysctl', 'net.core.somaxconn', { new: { value: '7' } }), 'sysctl net.core.somaxconn = 7'],
    [change('nft table', table, { new: {} }), `+ table ${table}`],
    [change('nft chain', 'FORWARD', { of: 'ip filter', new: {} }), '+ chain ip filter FORWARD'],
    [change('nft map', 'hostport4', { of: table, new: {} }), '+ map hostport4'],
    [
      change('nft rule', 'tcp dport 80 accept', { of: 'chain ip filter FORWARD', new: {} }),
      'chain ip filter FORWARD: + tcp dport 80 accept',
    ],
    [
      change('nft element', 'tcp . 8080', { of: `map ${table} hostport_any6`, new: { to: 'fd00::5 . 80' } }),
      'map hostport_any6: + tcp 8080 -> [fd00::5]:80',
    ],
    [
      change('nft element', '10.22.0.5', {
        ...removed,
        of: `map ${table} masquerade4`,
        old: { to: 'jump masquerade_6f' },
      }),
      'map masquerade4: - 10.22.0.5 -> jump masquerade_6f',
    ],
  ])('%j', (one, expected) => {
    expect(item(one)).toBe(expected);
  });
});

const portmap: Change[] = [
  change('nft element', 'tcp . 8080', {
    plugin: 'portmap',
    of: `map ${table} hostports`,
    new: { to: '10.22.0.5 . 80' },
    whose: 'this',
  }),
  change('sysctl', 'net.ipv4.conf.cni0.route_localnet', {
    plugin: 'portmap',
    ...changed,
    old: { value: 0 },
    new: { value: 1 },
  }),
];

test('the sentence of the issue', () => {
  expect(changeSentences({ changes: portmap })).toEqual([
    'portmap: map hostports: + tcp 8080 -> 10.22.0.5:80; sysctl net.ipv4.conf.cni0.route_localnet 0 -> 1',
  ]);
});

test('a sentence for each plugin and namespace, others last', () => {
  const link = change('link', 'eth0', { new: { kind: 'veth', up: true } });
  const { plugin: _, ...nobody } = link;
  const other = (owner: Change['owner']): Change => ({
    ...nobody,
    whose: 'other',
    ...(owner === undefined ? {} : { owner }),
  });
  expect(
    changeSentences({
      changes: [
        other({ network: 'cbr0', containerID: 'c2', ifName: 'eth0' }),
        link,
        other({ process: 'kube-proxy' }),
        { ...link, namespace: 'container' },
        ...portmap.slice(1),
        other({ mark: 'CNI-DN-6f' }),
        other({ containerID: 'c3' }),
      ],
    }),
  ).toEqual([
    'bridge: + link eth0 (veth, up)',
    'bridge in the container: + link eth0 (veth, up)',
    'portmap: sysctl net.ipv4.conf.cni0.route_localnet 0 -> 1',
    'meanwhile, container c2 eth0 of network cbr0: + link eth0 (veth, up)',
    'meanwhile, "kube-proxy": + link eth0 (veth, up)',
    'meanwhile, another (CNI-DN-6f): + link eth0 (veth, up)',
    'meanwhile, container c3: + link eth0 (veth, up)',
  ]);
});

describe('folded are', () => {
  const rule = (chain: string, more: Partial<Change> = {}) =>
    change('nft rule', 'accept', { of: `chain ${table} ${chain}`, new: {}, ...more });
  const chain = (name: string, more: Partial<Change> = {}) =>
    change('nft chain', name, { of: table, new: {}, ...more });

  test('a table with all that it came with, but what names its owner', () => {
    const changes = [
      change('nft table', table, { new: {} }),
      chain('a'),
      rule('a'),
      rule('a', { whose: 'this', object: 'drop' }),
      chain('b'),
    ];
    expect(item(...changes)).toBe(`+ table ${table} (2 chains, 1 rule); chain a: + drop`);
  });

  test('a chain with its rules', () => {
    expect(item(rule('a', removed), rule('a', removed), chain('a', removed), rule('b'))).toBe(
      '- chain a (2 rules); chain b: + accept',
    );
  });

  test('three chains and sets of a table into a number', () => {
    const set = change('nft set', 's', { of: table, new: {} });
    expect(item(chain('a'), rule('a'), chain('b'), set)).toBe(`+ 2 chains, 1 rule, 1 set in table ${table}`);
    expect(item(chain('a'), set)).toBe('+ chain a; + set s');
  });

  test('what a link took along, and what the kernel does by itself', () => {
    const follows = { ...removed, follows: true } as const;
    expect(
      item(
        change('link', 'eth0', { ...removed, old: { kind: 'veth' } }),
        change('address', '10.22.0.5/16', { ...follows, of: 'eth0', old: {} }),
        change('route', '10.22.0.0/16', { ...follows, old: { dev: 'eth0' } }),
        change('route', '0.0.0.0/0', { ...follows, old: { dev: 'eth0' } }),
        change('route', '10.99.0.0/16', { follows: true, new: { dev: 'cni0' } }),
      ),
    ).toBe('- link eth0 (veth, 10.22.0.5/16, 2 routes)');
  });

  test('elements of a set, wherever they stand', () => {
    const element = (object: string) => change('nft element', object, { of: `set ${table} s`, new: {} });
    expect(item(element('1'), chain('a'), element('2'))).toBe('set s: + 1, + 2; + chain a');
  });

  test('what would be too long', () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      change('address', `10.0.0.${index}/8`, { of: 'eth0', new: {} }),
    );
    expect(item(...many)).toMatch(/; and 16 more$/);
  });
});

test('what there was no room for is counted', () => {
  expect(changeSentences({ changes: [], changesLeftOut: 1 })).toEqual([
    '1 more change, for which there was no room in the record',
  ]);
});

test.each([
  [{}],
  [{ changes: null }],
  [{ changes: 'x' }],
  [{ changes: [null, 1, {}, { kind: 'link' }, { kind: 1, change: 'added', object: 'x' }] }],
  [{ changes: [], changesLeftOut: 'x' }],
])('a damaged record says nothing: %j', (record) => {
  expect(changeSentences(record as never)).toEqual([]);
});

test('values that are none', () => {
  const record = { changes: [{ kind: 'link', change: 'added', object: 'x', new: 7, old: null, plugin: {} }] };
  expect(changeSentences(record)).toHaveLength(1);
});
