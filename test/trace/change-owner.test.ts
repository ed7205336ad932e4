import { describe, expect, test } from 'bun:test';
import type { Link } from '../../src/kernel/netlink/link.ts';
import { type Attachment, hostVethName, ownerAlias } from '../../src/network/attachment.ts';
import { digest } from '../../src/network/digest.ts';
import { elementComment } from '../../src/network/owned-element.ts';
import type { Found } from '../../src/trace/change.ts';
import { OwnerReader } from '../../src/trace/change-owner.ts';
import { LinkIndex } from '../../src/trace/namespace-objects.ts';

const own: Attachment = { network: 'cbr0', containerID: 'c1', ifName: 'eth0' };
const other: Attachment = { network: 'cbr0', containerID: 'c2', ifName: 'eth0' };
const reader = new OwnerReader(own);

const found = (
  kind: Found['kind'],
  object: string,
  of = '',
  comment = '',
  more: Partial<Found> = {},
): Found => ({
  ...{ kind, object, of, values: comment === '' ? {} : { comment } },
  ...more,
});

describe('nftables', () => {
  const element = (comment: string) =>
    found('nft element', '10.0.0.1', 'map inet cni_debug masquerade4', comment);
  const rule = (comment: string, of = 'chain ip nat POSTROUTING', object = 'masquerade') =>
    found('nft rule', object, of, comment);
  const masquerade = ({ network, ifName, containerID }: Attachment) =>
    `${digest('sha512', network).slice(0, 16)}-${digest('sha512', `${ifName}:${containerID}`).slice(0, 16)}, net: ${network}, if: ${ifName}, id: ${containerID}`;
  const chainOf = ({ network, containerID }: Attachment, prefix: string) =>
    (prefix + digest('sha512', network + containerID)).slice(0, 28);
  const hostports = 'chain ip cni_hostport hostports';

  test.each<[string, Found, unknown]>([
    ['an element of ours', element(elementComment(own)), 'this'],
    ['an element of another', element(elementComment(other)), other],
    ['an element that says nothing', element(''), undefined],
    ['a comment of anything', element('hello'), undefined],
    ['masquerade of the reference', rule(masquerade(own)), 'this'],
    ['masquerade of another', rule(masquerade(other)), other],
    ['the same, cut', rule(masquerade(other).slice(0, 33)), { network: '?', ifName: '?', containerID: '?' }],
    ['a comment of iptables', rule('dnat name: "cbr0" id: "c1"'), 'this'],
    ['the same of another', rule('name: "cbr0" id: "c2"'), { network: 'cbr0', containerID: 'c2' }],
    ['a host port of the reference', rule('c1', hostports), 'this'],
    ['the same of another', rule('c2', hostports), { containerID: 'c2' }],
    ['a rule of the table that is for all', rule('', hostports), undefined],
    ['the same comment anywhere else', rule('c1'), undefined],
    ['a check of MACs', rule('macspoofchk-c1-eth0', 'chain bridge nat PREROUTING'), 'this'],
    [
      'the same of another',
      rule('macspoofchk-c2-eth0', 'chain bridge nat PREROUTING'),
      { mark: 'macspoofchk-c2-eth0' },
    ],
    ['its chain', found('nft chain', 'cni-br-iface-c1-eth0-mac', 'bridge nat'), 'this'],
    [
      'the chain of another',
      found('nft chain', 'cni-br-iface-c2-eth0', 'bridge nat'),
      { mark: 'cni-br-iface-c2-eth0' },
    ],
    ['a chain of iptables', found('nft chain', chainOf(own, 'CNI-DN-'), 'ip nat'), 'this'],
    ['a rule in it', rule('', `chain ip nat ${chainOf(own, 'CNI-')}`), 'this'],
    ['a rule that leads to it', rule('', 'chain ip nat POSTROUTING', `jump ${chainOf(own, 'CNI-')}`), 'this'],
    [
      'a chain of another',
      found('nft chain', chainOf(other, 'CNI-'), 'ip nat'),
      { mark: chainOf(other, 'CNI-') },
    ],
    ['a chain that is for all', found('nft chain', 'CNI-HOSTPORT-DNAT', 'ip nat'), undefined],
    [
      'a program that has ended',
      found('nft table', 'ip t', '', '', { process: { pid: 2 ** 22 + 1, name: 'nft' } }),
      undefined,
    ],
    [
      'this one',
      found('nft table', 'ip t', '', '', { process: { pid: process.pid, name: 'bun' } }),
      undefined,
    ],
    [
      'a process ID that is another program by now',
      found('nft table', 'ip t', '', '', { process: { pid: process.ppid, name: 'kube-proxy' } }),
      undefined,
    ],
  ])('%s', (_, object, expected) => {
    expect(reader.ofNftables(object)).toEqual(expected as never);
  });

  test('a program that goes on', async () => {
    const sleeping = Bun.spawn(['sleep', '60']);
    try {
      // Between fork and exec it has the name of its parent.
      for (let attempt = 0; attempt < 100; attempt += 1) {
        if ((await Bun.file(`/proc/${sleeping.pid}/comm`).text()) === 'sleep\n') break;
        await Bun.sleep(10);
      }
      const by = { process: { pid: sleeping.pid, name: 'sleep' } };
      expect(reader.ofNftables(found('nft table', 'ip t', '', '', by))).toEqual({ process: 'sleep' });
      // What the object says counts more.
      expect(reader.ofNftables({ ...element(elementComment(own)), ...by })).toBe('this');
    } finally {
      sleeping.kill();
      await sleeping.exited;
    }
  });
});

describe('links', () => {
  const host = new LinkIndex([]);
  const link = (name: string, more: Partial<Link> = {}): Link => ({
    ...{ index: 7, name, mtu: 1500, up: true, running: true, flags: 1 },
    ...more,
  });

  test.each<[string, Link, unknown]>([
    ['an alias of ours', link('x', { alias: ownerAlias(own) }), 'this'],
    ['an alias of another', link('x', { alias: ownerAlias(other) }), other],
    ['a name of ours, before it has its alias', link(hostVethName(own)), 'this'],
    ['a bridge', link('cni0', { kind: 'bridge' }), undefined],
    ['a veth of the node', link('veth0', { kind: 'veth', link: 8 }), undefined],
    [
      'a veth to elsewhere, when nobody looked there',
      link('veth0', { kind: 'veth', link: 8, linkNetnsid: 0 }),
      undefined,
    ],
  ])('%s', (_, one, expected) => {
    expect(reader.ofLink(one, { host, container: undefined })).toEqual(expected as never);
  });

  test('the two ends of a veth', () => {
    const container = {
      at: (index: number) => (index === 8 ? link('eth0', { index, kind: 'veth', link: 7 }) : undefined),
    };
    const links = { host, container: container as LinkIndex };
    const veth = { kind: 'veth', linkNetnsid: 0 };
    expect(reader.ofLink(link('veth1', { ...veth, link: 8 }), links)).toBe('this');
    const elsewhere = { mark: 'the other end of veth1 is in another namespace' };
    expect(reader.ofLink(link('veth1', { ...veth, link: 9 }), links)).toEqual(elsewhere);
    expect(reader.ofLink(link('veth1', { ...veth, link: 8, index: 6 }), links)).toEqual(elsewhere);
  });
});
