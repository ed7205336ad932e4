import { describe, expect, test } from 'bun:test';
import { listLegacyRules } from '../../src/kernel/legacy-iptables.ts';
import { decodeLegacyRules } from '../../src/kernel/legacy-rule.ts';
import { MalformedMessageError } from '../../src/kernel/netlink/message.ts';
import { openNamespace } from '../../src/kernel/netns.ts';
import { requires } from '../requirements.ts';
import { commandIn } from '../root/namespace-command.ts';
import { scratchNamespace } from './scratch.ts';

describe.if(requires('root', 'iptables'))('rules of iptables-legacy', () => {
  test('as they were made, with their counters; and no table is made by looking', () => {
    const scratch = scratchNamespace('link set lo up');
    const namespace = openNamespace(scratch.path);
    try {
      expect(listLegacyRules(4, namespace)).toEqual([]);
      expect(commandIn(scratch.path, 'cat', '/proc/self/net/ip_tables_names')).toBe('');
      for (const line of [
        '-N MINE',
        '-A MINE -p tcp --dport 80 -m comment --comment x -j REJECT',
        '-A MINE -j DROP',
        '-A OUTPUT ! -s 10.1.0.0/24 -o lo -p udp -j MINE',
        '-P FORWARD DROP',
      ])
        commandIn(scratch.path, 'iptables-legacy', ...line.split(' '));
      commandIn(scratch.path, 'bash', '-c', 'echo > /dev/udp/127.0.0.1/9 || true');
      const rules = listLegacyRules(4, namespace);
      const lines = rules.map(
        ({ chain, number = 0, text, packets }) => `${chain} ${number} ${text} ${packets}`,
      );
      expect(lines).toEqual([
        'INPUT 0 policy ACCEPT 0',
        'FORWARD 0 policy DROP 0',
        'OUTPUT 1 ! -s 10.1.0.0/24 -o lo -p udp -j MINE 1',
        'OUTPUT 0 policy ACCEPT 0',
        'MINE 1 -p tcp -m tcp -m comment -j REJECT 0',
        'MINE 2 -j DROP 1',
        'MINE 3 -j RETURN 0',
      ]);
      expect(listLegacyRules(6, namespace)).toEqual([]);
    } finally {
      namespace.close();
      scratch.remove();
    }
  });
});

test('of bytes that are none it says so', () => {
  const info = Buffer.alloc(84);
  for (let length = 0; length < 400; length++) {
    const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(length)));
    // A length that fits, so that what is in it is read, too.
    if (length > 144) noise.writeUInt16LE(length & ~7, 142);
    if (length > 112) noise.writeUInt16LE(length & ~7, 90);
    for (const family of [4, 6] as const) {
      try {
        decodeLegacyRules('filter', family, info, noise);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError);
      }
    }
  }
});
