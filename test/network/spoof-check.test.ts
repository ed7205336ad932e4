import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { presentNat } from '../../src/network/present-nat.ts';
import {
  missingSpoofCheck,
  planSpoofCheck,
  planSpoofCheckCollection,
  planSpoofCheckRemoval,
} from '../../src/network/spoof-check.ts';
import { type ScratchNamespace, scratchNamespace } from '../kernel/scratch.ts';
import { requires } from '../requirements.ts';
import { type Listener, listen, send } from './datagrams.ts';
import { pod, type ScratchRuleset, scratchRuleset } from './network-scratch.ts';

const port = (number: number, last = number) => ({ name: `veth${number}`, mac: `02:00:00:00:00:0${last}` });

describe.if(requires('root', 'ip', 'nft'))('spoof checks', () => {
  let scratch: ScratchRuleset;
  beforeEach(() => {
    scratch = scratchRuleset();
  });
  afterEach(() => scratch.remove());

  const check = (number: number, last = number): void =>
    scratch.call((ruleset) => planSpoofCheck(ruleset, pod(number), port(number, last)));
  /** The elements as nft shows them, without comments. */
  const elements = (): string[] =>
    ['checked', 'allowed']
      .flatMap((set) => {
        const text = scratch.nft(['list', 'set', 'bridge', 'cni_debug', set]);
        return [...text.matchAll(/("veth\d+"(?: \. [0-9a-f:]+)?) comment/g)].map(
          ([, element = '']) => element,
        );
      })
      .sort();
  const missing = (number: number, last = number): string[] =>
    scratch.look((ruleset) =>
      missingSpoofCheck(presentNat(ruleset.nftables), pod(number), port(number, last)),
    );

  test('are what nft shows, and survive a list that is loaded again', () => {
    check(1);
    const text = scratch.text();
    expect(text).toContain('type filter hook prerouting priority dstnat; policy accept;');
    expect(text).toContain('iifname @checked iifname . ether saddr != @allowed drop');
    expect(elements()).toEqual(['"veth1"', '"veth1" . 02:00:00:00:00:01']);
    scratch.nft(['flush', 'ruleset']);
    scratch.nft(['-f', '-'], text);
    expect(scratch.text()).toBe(text);
    expect(missing(1)).toEqual([]);
  });

  test('twice are once, and of another address replace what was allowed', () => {
    check(1);
    check(1);
    check(2);
    check(1, 9);
    expect(elements()).toEqual([
      '"veth1"',
      '"veth1" . 02:00:00:00:00:09',
      '"veth2"',
      '"veth2" . 02:00:00:00:00:02',
    ]);
    expect(missing(1)).toEqual([
      'element "veth1" . 02:00:00:00:00:01 of bridge cni_debug allowed is missing',
    ]);
    expect(missing(1, 9)).toEqual([]);
  });

  test('are removed, with a hint, with a wrong one and without', () => {
    for (const number of [1, 2, 3]) check(number);
    scratch.call((ruleset) => planSpoofCheckRemoval(ruleset, pod(1), port(1)));
    scratch.call((ruleset) => planSpoofCheckRemoval(ruleset, pod(2), port(2, 9)));
    scratch.call((ruleset) => planSpoofCheckRemoval(ruleset, pod(1)));
    expect(elements()).toEqual(['"veth3"', '"veth3" . 02:00:00:00:00:03']);
    scratch.call((ruleset) => planSpoofCheckRemoval(ruleset, pod(3)));
    expect(elements()).toEqual([]);
  });

  test('are collected of a network’s attachments that are no more, and of no other network', () => {
    check(1);
    check(2);
    scratch.call((ruleset) => planSpoofCheck(ruleset, pod(3, 'other'), port(3)));
    scratch.call((ruleset) => planSpoofCheckCollection(ruleset, 'shop', [pod(2)]));
    expect(elements()).toEqual([
      '"veth2"',
      '"veth2" . 02:00:00:00:00:02',
      '"veth3"',
      '"veth3" . 02:00:00:00:00:03',
    ]);
  });

  test('come back after a firewall took them away', () => {
    check(1);
    scratch.nft(['flush chain bridge cni_debug prerouting']);
    expect(missing(1)).toEqual(['chain prerouting in bridge cni_debug is missing, or has not its rules']);
    scratch.nft(['flush ruleset']);
    check(1);
    expect(missing(1)).toEqual([]);
  });
});

describe.if(requires('root', 'ip', 'nft'))('frames', () => {
  let node: ScratchRuleset;
  const pods: ScratchNamespace[] = [];
  let listener: Listener;

  beforeAll(async () => {
    node = scratchRuleset('link add br0 type bridge', 'link set br0 up');
    for (const number of [1, 2]) {
      const namespace = scratchNamespace('link set lo up');
      pods.push(namespace);
      node.ip(
        `link add veth${number} type veth peer name eth0 address 02:00:00:00:00:0${number} netns ${namespace.name}`,
        `link set veth${number} master br0 up`,
      );
      namespace.ip('link set eth0 up', `address add 10.22.0.${number}/16 dev eth0`);
    }
    listener = await listen(pods[1]!.name, 9998);
  }, 90_000);

  afterAll(async () => {
    await listener?.stop();
    for (const namespace of pods) namespace.remove();
    node?.remove();
  });

  test('with the address of another are dropped, and with their own are not', async () => {
    const [one] = pods as [ScratchNamespace];
    const arrives = async (text: string, waitMs?: number): Promise<boolean> => {
      send(one.name, { from: '10.22.0.1', to: '10.22.0.2', port: 9998, text });
      return (await listener.source(text, waitMs)) !== undefined;
    };
    const pretend = (mac: string): void => one.ip(`link set eth0 address ${mac}`);
    node.call((ruleset) => planSpoofCheck(ruleset, pod(1), port(1)));
    expect(await arrives('own')).toBe(true);
    pretend('02:00:00:00:00:0f');
    expect(await arrives('spoofed', 1000)).toBe(false);
    pretend('02:00:00:00:00:01');
    expect(await arrives('own-again')).toBe(true);
    node.call((ruleset) => planSpoofCheckRemoval(ruleset, pod(1), port(1)));
    pretend('02:00:00:00:00:0f');
    expect(await arrives('unchecked')).toBe(true);
  }, 60_000);
});
