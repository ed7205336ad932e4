import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { planMasquerade, planMasqueradeRemoval } from '../../src/network/masquerade.ts';
import { type ScratchNamespace, scratchNamespace } from '../kernel/scratch.ts';
import { requires } from '../requirements.ts';
import { type Listener, listen, send } from './datagrams.ts';
import { cidr, pod, type ScratchRuleset, scratchRuleset } from './network-scratch.ts';

const PORT = 9999;
const ADDRESSES = ['10.22.0.5/16', 'fd00:22::5/64'].map(cidr);
/** Of the node itself, in the pods' subnet: what it sends from there goes the way of what a pod sends. */
const LOCAL = ['10.22.0.77/16', 'fd00:22::77/64'].map(cidr);

describe.if(requires('root', 'ip', 'nft'))('packets of a pod', () => {
  let node: ScratchRuleset;
  let inside: ScratchNamespace;
  let outside: ScratchNamespace;
  let atOutside: Listener;
  let atPod: Listener;

  beforeAll(async () => {
    node = scratchRuleset('link set lo up');
    inside = scratchNamespace('link set lo up');
    outside = scratchNamespace('link set lo up');
    node.ip(
      `link add pod0 type veth peer name eth0 netns ${inside.name}`,
      `link add up0 type veth peer name eth0 netns ${outside.name}`,
      'link set pod0 up',
      'link set up0 up',
      'address add 10.22.0.1/16 dev pod0',
      'address add fd00:22::1/64 dev pod0 nodad',
      'address add 192.0.2.1/24 dev up0',
      'address add fd00:99::1/64 dev up0 nodad',
      'address add 10.22.0.77/32 dev lo',
      'address add fd00:22::77/128 dev lo nodad',
    );
    inside.ip(
      'link set eth0 up',
      'address add 10.22.0.5/16 dev eth0',
      'address add fd00:22::5/64 dev eth0 nodad',
      'route add default via 10.22.0.1',
      'route add default via fd00:22::1',
    );
    // No way back to the pods but through the node's own address.
    outside.ip(
      'link set eth0 up',
      'address add 192.0.2.2/24 dev eth0',
      'address add fd00:99::2/64 dev eth0 nodad',
    );
    const forwarding = 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1';
    Bun.spawnSync(['ip', 'netns', 'exec', node.name, ...forwarding.split(' ')]);
    atOutside = await listen(outside.name, PORT, [
      ['224.0.0.251', '192.0.2.2'],
      ['ff02::fb', '::%eth0'],
    ]);
    atPod = await listen(inside.name, PORT);
  }, 90_000);

  afterAll(async () => {
    await atOutside?.stop();
    await atPod?.stop();
    outside?.remove();
    inside?.remove();
    node?.remove();
  });

  const add = (): void =>
    node.call((ruleset) => {
      planMasquerade(ruleset, pod(1), ADDRESSES);
      planMasquerade(ruleset, pod(2), LOCAL);
    });

  test.each([
    ['IPv4', '10.22.0.5', '192.0.2.2', '192.0.2.1'],
    ['IPv6', 'fd00:22::5', 'fd00:99::2', 'fd00:99::1'],
  ])(
    'leave with the address of the node, only while they are masqueraded: %s',
    async (family, from, to, seen) => {
      const text = (what: string): string => `${what}-${family}`;
      node.call((ruleset) => planMasqueradeRemoval(ruleset, pod(1)));
      send(inside.name, { from, to, port: PORT, text: text('before') });
      expect(await atOutside.source(text('before'))).toBe(from);
      add();
      send(inside.name, { from, to, port: PORT, text: text('during') });
      expect(await atOutside.source(text('during'))).toBe(seen);
      node.call((ruleset) => planMasqueradeRemoval(ruleset, pod(1), ADDRESSES));
      send(inside.name, { from, to, port: PORT, text: text('after') });
      expect(await atOutside.source(text('after'))).toBe(from);
    },
    60_000,
  );

  test.each([
    ['IPv4', '10.22.0.77', '10.22.0.5', '192.0.2.2', '192.0.2.1', '224.0.0.251', '192.0.2.1'],
    ['IPv6', 'fd00:22::77', 'fd00:22::5', 'fd00:99::2', 'fd00:99::1', 'ff02::fb', '::%up0'],
  ])(
    'keep their address in their subnet and in multicast: %s',
    async (family, from, peer, to, seen, group, via) => {
      add();
      send(node.name, { from, to, port: PORT, text: `away-${family}` });
      expect(await atOutside.source(`away-${family}`)).toBe(seen);
      send(node.name, { from, to: peer, port: PORT, text: `peer-${family}` });
      expect(await atPod.source(`peer-${family}`)).toBe(from);
      send(node.name, { from, to: group, port: PORT, text: `group-${family}`, via });
      expect(await atOutside.source(`group-${family}`)).toBe(from);
    },
    60_000,
  );
});
