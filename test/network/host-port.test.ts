import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { parseIp } from '../../src/cni/address.ts';
import type { Attachment } from '../../src/network/attachment.ts';
import {
  hostPortOf,
  missingHostPorts,
  planHostPortCollection,
  planHostPortRemoval,
  planHostPorts,
} from '../../src/network/host-port.ts';
import { presentNat } from '../../src/network/present-nat.ts';
import type { HostPort, HostPortOptions, Publication } from '../../src/network/publication.ts';
import { requires } from '../requirements.ts';
import { pod, type ScratchRuleset, scratchRuleset } from './network-scratch.ts';

const ip = (text: string): Uint8Array => parseIp(text) as Uint8Array;

/** `8080:80/tcp`, `192.0.2.1:8080:80/udp`, `[fd00::1]:8080:80/tcp` */
function hostPort(text: string): HostPort {
  const [, six, four, hostPort, containerPort, protocol] =
    /^(?:\[(.*)\]:|([0-9.]+):)??(\d+):(\d+)\/(\w+)$/.exec(text) ?? [];
  const host = six ?? four;
  return {
    protocol: protocol as HostPort['protocol'],
    hostIP: host === undefined ? undefined : ip(host),
    hostPort: Number(hostPort),
    containerPort: Number(containerPort),
  };
}

function publication(addresses: string[], ports: string[], keys: Partial<Publication> = {}): Publication {
  return {
    addresses: addresses.map((address) => ({ ip: ip(address), link: 'cni0' })),
    ports: ports.map(hostPort),
    masquerade: true,
    masqueradeAll: false,
    ...keys,
  };
}

describe.if(requires('root', 'ip', 'nft'))('host ports', () => {
  let scratch: ScratchRuleset;
  let takenOver: string[];
  const alive: HostPortOptions = { isGone: () => false, takenOver: (message) => takenOver.push(message) };
  const gone: HostPortOptions = { ...alive, isGone: () => true };
  beforeEach(() => {
    scratch = scratchRuleset();
    takenOver = [];
  });
  afterEach(() => scratch.remove());

  const add = (owner: Attachment, wanted: Publication, options = alive): void =>
    scratch.call((ruleset) => planHostPorts(ruleset, owner, wanted, options));
  const remove = (owner: Attachment): void =>
    scratch.call((ruleset) => void planHostPortRemoval(ruleset, owner));
  const missing = (owner: Attachment, wanted: Publication): string[] =>
    scratch.look((ruleset) => missingHostPorts(presentNat(ruleset.nftables), owner, wanted));
  const map = (name: string): string[] =>
    [
      ...scratch
        .nft(['list', /port(_any)?\d$/.test(name) ? 'map' : 'set', 'inet', 'cni_debug', name])
        .matchAll(/([^{},\n]+) comment "\S+ \S+ \S+ (pod\d+)[^"]*"( : [^,}\n]*)?/g),
    ]
      .map(
        ([, key = '', owner, data = '']) =>
          `${key.replace('elements = {', '').trim()}${data.trimEnd()} of ${owner}`,
      )
      .sort();

  test('are what nft shows', () => {
    const ports = ['8080:80/tcp', '192.0.2.1:53:5353/udp', '[fd00:99::1]:9000:9/sctp'];
    add(pod(1), publication(['10.22.0.5', 'fd00:22::5'], ports, { masqueradeAll: true }));
    expect(map('hostport_any4')).toEqual(['tcp . 8080 : 10.22.0.5 . 80 of pod1']);
    expect(map('hostport4')).toEqual(['192.0.2.1 . udp . 53 : 10.22.0.5 . 5353 of pod1']);
    expect(map('hostport_any6')).toEqual(['tcp . 8080 : fd00:22::5 . 80 of pod1']);
    expect(map('hostport6')).toEqual(['fd00:99::1 . sctp . 9000 : fd00:22::5 . 9 of pod1']);
    expect(map('hostport_self4')).toEqual(['10.22.0.5 . 10.22.0.5 of pod1']);
    expect(map('hostport_bridge6')).toEqual(['"cni0" . "cni0" . fd00:22::5 of pod1']);
    expect(map('hostport_local4')).toEqual(['10.22.0.5 of pod1']);
    expect(map('hostport_all6')).toEqual(['fd00:22::5 of pod1']);
    const text = scratch.text();
    for (const rule of [
      'dnat ip to ip daddr . meta l4proto . th dport map @hostport4\n',
      'meta nfproto ipv4 dnat ip to meta l4proto . th dport map @hostport_any4\n',
      'dnat ip6 to ip6 daddr . meta l4proto . th dport map @hostport6\n',
      'type nat hook prerouting priority dstnat; policy accept;\n\t\tfib daddr type local jump hostport\n',
      'type nat hook output priority -100; policy accept;\n\t\tip6 daddr ::1 return\n\t\tfib daddr type local jump hostport\n',
      'ip saddr . ip daddr @hostport_self4 masquerade\n',
      'iifname . oifname . ip6 daddr @hostport_bridge6 masquerade\n',
      'ip saddr 127.0.0.0/8 ip daddr @hostport_local4 masquerade\n',
      'ct status dnat jump hostport_masquerade\n',
      'type filter hook prerouting priority raw; policy accept;\n\t\tiifname != "lo" ip daddr 127.0.0.0/8 drop\n',
    ]) {
      expect(text).toContain(rule);
    }
  });

  test('survive a list that is loaded again, and are then still whole', () => {
    const wanted = publication(['10.22.0.5', 'fd00:22::5'], ['8080:80/tcp', '192.0.2.1:53:5353/udp']);
    add(pod(1), wanted);
    const text = scratch.text();
    scratch.nft(['flush', 'ruleset']);
    scratch.nft(['-f', '-'], text);
    expect(scratch.text()).toBe(text);
    expect(missing(pod(1), wanted)).toEqual([]);
    add(pod(1), wanted);
    expect(scratch.text()).toBe(text);
  });

  test('without masquerading are in the maps alone', () => {
    add(pod(1), publication(['10.22.0.5'], ['8080:80/tcp'], { masquerade: false, masqueradeAll: true }));
    expect(scratch.text().match(/elements = /g)).toHaveLength(1);
  });

  test('of one family are none of the other', () => {
    add(pod(1), publication(['10.22.0.5'], ['[fd00:99::1]:8080:80/tcp', '[::]:81:81/tcp']));
    expect(scratch.text()).not.toContain('elements');
    add(pod(1), publication(['10.22.0.5', 'fd00:22::5'], ['0.0.0.0:8080:80/tcp', '[::]:81:81/tcp']));
    expect(map('hostport_any4')).toEqual(['tcp . 8080 : 10.22.0.5 . 80 of pod1']);
    expect(map('hostport_any6')).toEqual(['tcp . 81 : fd00:22::5 . 81 of pod1']);
  });

  test('asked for twice are one', () => {
    add(pod(1), publication(['10.22.0.5'], ['8080:80/tcp', '8080:80/tcp', '0.0.0.0:8080:80/tcp']));
    expect(map('hostport_any4')).toEqual(['tcp . 8080 : 10.22.0.5 . 80 of pod1']);
  });

  test.each([
    ['of all addresses', '8080:80/tcp', '8080:81/tcp', '8080/tcp'],
    ['of one address', '192.0.2.1:8080:80/tcp', '192.0.2.1:8080:81/tcp', '192.0.2.1:8080/tcp'],
    ['of one that is of all', '8080:80/tcp', '192.0.2.1:8080:81/tcp', '8080/tcp'],
    ['of all that is of one', '192.0.2.1:8080:80/tcp', '8080:81/tcp', '192.0.2.1:8080/tcp'],
  ])('%s: what is taken stays its owner’s, and the error names them', (_, first, second, named) => {
    add(pod(1), publication(['10.22.0.5'], [first]));
    const before = scratch.text();
    expect(() => add(pod(2), publication(['10.22.0.6'], ['9000:90/tcp', second]))).toThrow(
      expect.objectContaining({
        code: 103,
        message: expect.stringMatching(
          new RegExp(
            `^host port ${named} is taken by "eth0" of container pod1-0123\\S* in network "shop", and leads to 10.22.0.5 port 80$`,
          ),
        ),
      }),
    );
    expect(scratch.text()).toBe(before);
    remove(pod(1));
    add(pod(2), publication(['10.22.0.6'], ['9000:90/tcp', second]));
    expect(takenOver).toEqual([]);
  });

  test.each([
    ['8080:80/tcp', '8080:81/tcp', 'hostport_any4'],
    ['192.0.2.1:8080:80/tcp', '8080:81/tcp', 'hostport4'],
    ['8080:80/tcp', '192.0.2.1:8080:81/tcp', 'hostport_any4'],
  ])('%s of an owner that is gone is taken over by %s, and that is said', (first, second, left) => {
    add(pod(1), publication(['10.22.0.5'], [first]));
    add(pod(2), publication(['10.22.0.6'], [second]), gone);
    expect(map(left).filter((line) => line.includes('pod1'))).toEqual([]);
    expect(takenOver).toEqual([
      expect.stringMatching(
        /^host port \S+ led to 10.22.0.5 port 80, "eth0" of container pod1-\S+ in network "shop", which is gone: it is taken over$/,
      ),
    ]);
  });

  test('of an address that is now another’s go to the new owner of the address', () => {
    add(pod(1), publication(['10.22.0.5'], ['8080:80/tcp']));
    add(pod(2), publication(['10.22.0.5'], ['8080:81/tcp']));
    expect(map('hostport_any4')).toEqual(['tcp . 8080 : 10.22.0.5 . 81 of pod2']);
    expect(map('hostport_self4')).toEqual(['10.22.0.5 . 10.22.0.5 of pod2']);
    // Of an owner that comes late nothing is left to remove.
    remove(pod(1));
    expect(map('hostport_any4')).toHaveLength(1);
  });

  test('of one port for an address and for all that come between look and commit: the later one gives way', () => {
    const late = scratch.open();
    planHostPorts(late, pod(2), publication(['10.22.0.6'], ['8080:81/tcp']), alive);
    // When the first one has looked, the other comes and goes through.
    late.plan({ write: () => add(pod(1), publication(['10.22.0.5'], ['192.0.2.1:8080:80/tcp'])) });
    expect(() => late.commit()).toThrow('host port 192.0.2.1:8080/tcp is taken by');
    expect(map('hostport4')).toEqual(['192.0.2.1 . tcp . 8080 : 10.22.0.5 . 80 of pod1']);
    expect(scratch.text()).not.toContain('pod2');
  });

  test('what is missing is named, all of it', () => {
    const wanted = publication(['10.22.0.5'], ['8080:80/tcp', '8081:81/tcp']);
    add(pod(1), wanted);
    scratch.nft(['delete', 'element', 'inet', 'cni_debug', 'hostport_any4', '{ tcp . 8081 }']);
    scratch.nft(['flush', 'chain', 'inet', 'cni_debug', 'hostport_output']);
    expect(missing(pod(1), wanted)).toEqual([
      'chain hostport_output in inet cni_debug is missing, or has not its rules',
      'element tcp . 8081 of inet cni_debug hostport_any4 is missing',
    ]);
    add(pod(1), wanted);
    expect(missing(pod(1), wanted)).toEqual([]);
  });

  test('are removed and collected by owner', () => {
    add(pod(1), publication(['10.22.0.5'], ['8080:80/tcp', '192.0.2.1:53:53/udp']));
    add(pod(2), publication(['10.22.0.6'], ['8081:80/tcp']));
    add(pod(3, 'other'), publication(['10.23.0.6'], ['8082:80/tcp']));
    const removed = scratch.look((ruleset) => {
      const found = planHostPortRemoval(ruleset, pod(1));
      ruleset.commit();
      return found.flatMap((one) => hostPortOf(one) ?? []);
    });
    expect(removed).toEqual([
      { protocol: 'udp', hostIP: Buffer.from([192, 0, 2, 1]), hostPort: 53 },
      { protocol: 'tcp', hostIP: undefined, hostPort: 8080 },
    ]);
    expect(scratch.text()).not.toContain('pod1');
    scratch.call((ruleset) => void planHostPortCollection(ruleset, 'shop', []));
    expect(map('hostport_any4')).toEqual(['tcp . 8082 : 10.23.0.6 . 80 of pod3']);
    remove(pod(3, 'other'));
    expect(scratch.text()).not.toContain('pod3');
  });
});
