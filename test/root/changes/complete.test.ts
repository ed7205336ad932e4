import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '../../../src/trace/change.ts';
import { requires } from '../../requirements.ts';
import { difference, snapshotOf } from '../snapshot.ts';
import { cniPath, type Json, WatchedNode } from './watched-node.ts';

let node: WatchedNode;
beforeEach(() => {
  node = new WatchedNode();
});
afterEach(() => node.remove());

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))(
  'all that the plugins do is in the record',
  () => {
    const chains: [string, keyof typeof cniPath, () => Json[]][] = [
      ['bridge and portmap of ours', 'ours', () => [node.bridge(), node.portmap()]],
      [
        'bridge and portmap of the reference, nftables',
        'reference',
        () => [node.bridge({ ipMasqBackend: 'nftables' }), node.portmap({ backend: 'nftables' })],
      ],
      [
        'bridge and portmap of the reference, iptables',
        'reference',
        () => [node.bridge({ ipMasqBackend: 'iptables' }), node.portmap({ backend: 'iptables' })],
      ],
      [
        'bridge of two families, with checks of MACs',
        'ours',
        () => [
          node.bridge({
            macspoofchk: true,
            ipam: { ...node.ipam(), ranges: [[{ subnet: '10.22.0.0/16' }], [{ subnet: 'fd00:22::/64' }]] },
          }),
        ],
      ],
      [
        'bridge of the reference, two families',
        'reference',
        () => [
          node.bridge({
            ipMasq: false,
            ipam: { ...node.ipam(), ranges: [[{ subnet: '10.22.0.0/16' }], [{ subnet: 'fd00:22::/64' }]] },
          }),
        ],
      ],
      ['macvlan of ours', 'ours', () => [{ type: 'macvlan', master: 'up0', ipam: node.ipam() }]],
      [
        'macvlan of the reference',
        'reference',
        () => [{ type: 'macvlan', master: 'up0', ipam: node.ipam() }],
      ],
      ['ptp', 'reference', () => [{ type: 'ptp', ipMasq: false, ipam: node.ipam() }]],
      ['loopback of ours', 'ours', () => [{ type: 'loopback' }]],
      ['loopback of the reference', 'reference', () => [{ type: 'loopback' }]],
      [
        'bridge and tuning',
        'reference',
        () => [
          node.bridge({ ipMasq: false }),
          {
            type: 'tuning',
            mac: '02:00:00:00:00:07',
            promisc: true,
            mtu: 1400,
            sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1', 'net.core.somaxconn': '77' },
            dataDir: join(node.scratch.folder, 'tuning'),
          },
        ],
      ],
      [
        'flannel',
        'ours',
        () => [
          {
            type: 'flannel',
            subnetFile: subnetFile(),
            dataDir: join(node.scratch.folder, 'flannel'),
            ipam: { dataDir: join(node.scratch.folder, 'leases') },
          },
        ],
      ],
    ];

    const subnetFile = (): string => {
      const path = join(node.scratch.folder, 'subnet.env');
      writeFileSync(
        path,
        'FLANNEL_NETWORK=10.22.0.0/16\nFLANNEL_SUBNET=10.22.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n',
      );
      return path;
    };

    test.each(chains)('%s', (_, first, delegates) => {
      node.cniPath = cniPath[first];
      node.onNode('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1');
      for (const name of ['up0', 'up1']) node.onNode('ip', 'link', 'set', name, 'up');
      node.inPod('ip', 'link', 'set', 'lo', 'down');
      const conflist = node.wrapping(...delegates());
      const both = () => ({ host: snapshotOf(`/run/netns/${node.node}`), container: snapshotOf(node.netns) });
      // Once more, when bridge and tables are there already.
      for (const command of ['add', 'del', 'add', 'del'] as const) {
        const before = both();
        const answer = node.chain(command, conflist);
        const after = both();
        // With nftables the reference's DEL asks iptables, too, and version 1.8.9 of that answers in other words than
        // it expects.
        expect(answer?.msg ?? '').toMatch(/^$|Chain '\S+' does not exist/);
        const { changes, findings } = node.lastCall();
        expect(findings).toEqual([]);
        for (const namespace of ['host', 'container'] as const) {
          const own = changes.filter((one: Change) => one.namespace === namespace);
          const lines = difference(before[namespace], after[namespace]);
          expect(lines.filter((line) => !own.some((one: Change) => covers(one, line)))).toEqual([]);
          // And no more than that, where the test's own snapshot looks.
          if (lines.length === 0) expect(own).toEqual([]);
        }
        expect(changes.filter(({ whose }: Change) => whose === 'other')).toEqual([]);
        for (const one of changes) expect(delegates().map(({ type }) => type)).toContain(one.plugin);
      }
    });
  },
);

/** Whether a line of the test's own snapshot is told by a change, or follows from it. */
function covers({ kind, object, of, ...change }: Change, line: string): boolean {
  const [, subject, name = ''] = line.split(' ');
  if (subject === 'nft') return kind.startsWith('nft ');
  if (subject === 'route') {
    const dst =
      name === 'default' ? /^(0\.0\.0\.0|::)\/0$/ : new RegExp(`^${RegExp.escape(name)}(/32|/128)?$`);
    return kind === 'route' && dst.test(object);
  }
  if (subject === 'address') return kind === 'address' && line.includes(` ${of} ${object} `);
  if (subject === 'neighbour') return kind === 'neighbour' && line.includes(`"${object}"`);
  if (subject !== 'sysctl') return kind === subject && object === name;
  const [path = ''] = name.split('=');
  const [, family, link, setting] = /^(ipv[46])\/conf\/([^/]+)\/(.*)$/.exec(path) ?? [];
  // What a link begins with, and goes with it; what follows its MTU; what follows forwarding.
  if (kind === 'link') return object === link && (change.change !== 'changed' || setting === 'mtu');
  if (kind !== 'sysctl') return false;
  const isForwarding = setting === 'forwarding' || (setting === 'accept_redirects' && link === 'all');
  if (isForwarding && object === (family === 'ipv4' ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding'))
    return true;
  return object === `net.${path.replaceAll('/', '.')}`;
}
