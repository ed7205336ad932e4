import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import type { ForeignExpression } from '../../../src/kernel/nftables/expression.ts';
import { foreignText, xtablesComment } from '../../../src/kernel/nftables/foreign-text.ts';
import { decodeRule, listTableRules } from '../../../src/kernel/nftables/rule.ts';
import { ruleText } from '../../../src/kernel/nftables/rule-text.ts';
import { requires } from '../../requirements.ts';
import { capturedPayloads } from '../netlink/captured.ts';
import { expectNoCrash } from '../netlink/mutation.ts';
import { type ScratchNftables, scratchNftables } from './scratch.ts';

const captured = capturedPayloads('../nftables/rules', 0xa06);

test('captured rules', () => {
  expect(captured.map((payload) => ruleText(decodeRule(payload).expressions))).toMatchSnapshot();
});

test('mutated rules', () => {
  expectNoCrash(captured, (payload) => ruleText(decodeRule(payload).expressions));
});

test('a rule without expressions says nothing', () => {
  expect(ruleText([])).toBe('');
});

describe.if(requires('root', 'ip', 'nft'))('as nft has it', () => {
  let scratch: ScratchNftables;
  beforeAll(() => {
    scratch = scratchNftables();
    scratch.nft(
      ['-f', '-'],
      `table ip t {
        set s { type ipv4_addr . inet_service; }
        map v { type ipv4_addr : verdict; }
        map d { type inet_proto . inet_service : ipv4_addr . inet_service; }
        chain z { }
        chain c { }
      }
      table ip6 t {
chain c { }
}
      table bridge t {
chain c { }
}
      table inet t {
chain c { }
}\n`,
    );
  });
  afterAll(() => scratch.remove());

  const textOf = (family: 'ip' | 'ip6' | 'bridge' | 'inet', rule: string): string => {
    scratch.nft(['add rule', family, 't', 'c', ...rule.split(' ')]);
    const rules = listTableRules(scratch.nftables, { family, table: 't' });
    return ruleText(rules.filter(({ chain }) => chain === 'c').at(-1)?.expressions ?? []);
  };

  test.each([
    ['ip', 'ip saddr 10.2.0.1 tcp dport 1 dnat to 10.9.0.1:80'],
    ['ip', 'ip saddr 10.2.0.0/17 ip daddr != 10.2.0.0/16 masquerade'],
    ['ip', 'meta l4proto tcp accept'],
    ['ip', 'udp dport 53 ct state established,related accept'],
    ['ip', 'ct mark 0x2000 drop'],
    ['ip', 'ip daddr . tcp dport @s jump z'],
    ['ip', 'ip daddr . tcp dport != @s goto z'],
    ['ip', 'ip saddr vmap @v'],
    ['ip', 'ct status dnat return'],
    ['ip', 'iifname "cni*" accept'],
    ['ip', 'iifname != "lo" oifname "eth0" return'],
    ['ip', 'fib daddr type local jump z'],
    ['ip', 'dnat to 10.0.0.1'],
    ['ip', 'snat to 10.0.0.1'],
    ['ip', 'reject'],
    ['ip6', 'ip6 saddr fd00::/64 tcp dport 443 dnat to [fd00::5]:80'],
    ['bridge', 'iifname "veth0" ether saddr != 02:00:00:00:00:01 drop'],
    ['inet', 'ip saddr 10.0.0.1 accept'],
    ['inet', 'ip6 daddr ::1 return'],
    ['inet', 'meta nfproto ipv6 drop'],
  ] as const)('%s: %s', (family, rule) => {
    expect(textOf(family, rule)).toBe(rule);
  });

  test.each([
    // What we know of it in other words.
    ['tcp dport 80-90 accept', 'tcp dport >= 80 tcp dport <= 90 accept'],
    ['meta mark & 0x2000 == 0x2000 accept', 'meta mark 0x2000 (mask 0x2000) accept'],
    ['counter packets 7 bytes 8 accept', 'accept'],
    ['log prefix "x" drop', 'log drop'],
    ['dnat ip to meta l4proto . th dport map @d', 'dnat to meta l4proto . th dport map @d'],
  ])('%s is %s', (rule, expected) => {
    expect(textOf('ip', rule)).toBe(expected);
  });

  test('each line that nft lists of a CNI ruleset has its text', () => {
    const text = textOf('ip', 'tcp dport { 80, 443 } accept');
    expect(text).toMatch(/^tcp dport @__set\d+ accept$/);
  });
});

test.if(requires('root', 'ip', 'nft', 'iptables'))(
  'rules of iptables: what the reference gives its targets',
  () => {
    const scratch = scratchNftables();
    try {
      const add = (...words: string[]): string => {
        execFileSync('ip', ['netns', 'exec', scratch.name, 'iptables-nft', '-t', 'nat', ...words], {
          stdio: 'pipe',
        });
        const rules = listTableRules(scratch.nftables, { family: 'ip', table: 'nat' });
        const { expressions = [], comment } = rules.at(-1) ?? {};
        const foreign = expressions.filter((one): one is ForeignExpression => one.name === 'foreign');
        const said = comment ?? foreign.map(xtablesComment).find((found) => found !== undefined);
        return `${ruleText(expressions)}${said === undefined ? '' : ` # ${said}`}`;
      };
      add('-N', 'A');
      expect(
        add(
          '-A',
          'A',
          '-s',
          '10.1.0.5',
          '-m',
          'comment',
          '--comment',
          'name: "n" id: "c"',
          '-j',
          'MASQUERADE',
        ),
      ).toBe('ip saddr 10.1.0.5 -j MASQUERADE # name: "n" id: "c"');
      expect(
        add('-A', 'A', '-p', 'tcp', '--dport', '8080', '-j', 'DNAT', '--to-destination', '10.0.0.1:80'),
      ).toBe('tcp dport 8080 -j DNAT to 10.0.0.1:80');
      expect(
        add(
          '-A',
          'A',
          '-p',
          'tcp',
          '-m',
          'multiport',
          '--dports',
          '80,90:99',
          '-j',
          'DNAT',
          '--to-destination',
          '10.0.0.1',
        ),
      ).toBe('meta l4proto tcp -m multiport dports 80,90:99 -j DNAT to 10.0.0.1');
      expect(add('-A', 'A', '-j', 'MARK', '--set-xmark', '0x2000/0x2000')).toMatch(/MARK|meta/);
    } finally {
      scratch.remove();
    }
  },
);

test('what a match or target holds may be anything', () => {
  const names = ['DNAT', 'multiport', 'comment', 'other'];
  const samples = names.map((name) => {
    const header = Buffer.alloc(4);
    header.writeUInt16LE(4 + name.length + 1, 0);
    header.writeUInt16LE(1, 2);
    const padded = Buffer.alloc(Math.ceil((name.length + 1) / 4) * 4);
    padded.write(name);
    const info = Buffer.alloc(4 + 48);
    info.writeUInt16LE(52, 0);
    info.writeUInt16LE(3, 2);
    return Buffer.concat([header, padded, info]);
  });
  expectNoCrash(samples, (data) => {
    for (const kernelName of ['match', 'target', 'log'])
      for (const text of [foreignText, xtablesComment]) text({ name: 'foreign', kernelName, data });
  });
});
