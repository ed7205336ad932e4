import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Change } from '../../../src/trace/change.ts';
import { requires } from '../../requirements.ts';
import { cniPath, type Json, WatchedNode } from './watched-node.ts';

let node: WatchedNode;
beforeEach(() => {
  node = new WatchedNode();
});
afterEach(() => node.remove());

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('as sentences', () => {
  test('of our bridge and portmap', () => {
    node.cniPath = cniPath.ours;
    const conflist = node.wrapping(node.bridge(), node.portmap());
    const [, veth] = node.chain('add', conflist).interfaces;
    const [onNode, inContainer, ports, ...others] = node.sentences();
    expect(onNode?.replace(/masquerade_[0-9a-f]{16}/, 'masquerade_…')).toBe(
      `bridge: + link cni0 (bridge, up); + link ${veth.name} (veth, up, port of cni0); ` +
        '+ address 10.22.0.1/16 on cni0; sysctl net.ipv4.ip_forward 0 -> 1; sysctl net.ipv6.conf.cni0.accept_ra 1 -> 0; ' +
        `sysctl net.ipv6.conf.${veth.name}.accept_ra 1 -> 0; ` +
        '+ table inet cni_debug (2 maps, 2 chains, 5 rules); map masquerade4: + 10.22.0.2 -> jump masquerade_…',
    );
    expect(inContainer).toBe(
      'bridge in the container: + link eth0 (veth, up); + address 10.22.0.2/16 on eth0; ' +
        '+ route 0.0.0.0/0 via 10.22.0.1 dev eth0; sysctl net.ipv4.conf.eth0.arp_notify 0 -> 1; sysctl net.ipv6.conf.eth0.accept_dad 1 -> 0',
    );
    expect(ports).toBe(
      'portmap: sysctl net.ipv4.conf.cni0.route_localnet 0 -> 1; + 4 maps, 7 sets, 6 chains, 16 rules in table inet cni_debug; ' +
        'map hostport_any4: + tcp 8080 -> 10.22.0.2:80; set hostport_self4: + 10.22.0.2 10.22.0.2; ' +
        'set hostport_bridge4: + "cni0" "cni0" 10.22.0.2; set hostport_local4: + 10.22.0.2',
    );
    expect(others).toEqual([]);
    node.chain('del', conflist);
    expect(node.sentences()).toEqual([
      expect.stringMatching(
        new RegExp(
          `^bridge: - link ${veth.name} \\(veth\\); map masquerade4: - 10\\.22\\.0\\.2 -> jump masquerade_[0-9a-f]+; - chain masquerade_[0-9a-f]+ \\(3 rules\\)$`,
        ),
      ),
      expect.stringMatching(/^portmap: map hostport_any4: - tcp 8080 -> 10\.22\.0\.2:80; /),
      'bridge in the container: - link eth0 (veth, 10.22.0.2/16, 2 routes)',
    ]);
  });

  test('of the reference, whose rules are readable', () => {
    node.cniPath = cniPath.reference;
    node.chain(
      'add',
      node.wrapping(node.bridge({ ipMasqBackend: 'nftables' }), node.portmap({ backend: 'nftables' })),
    );
    const text = node.sentences().join('\n');
    expect(text).toContain('chain masq_checks: + ip saddr 10.22.0.2 ip daddr != 10.22.0.0/16 masquerade');
    expect(text).toContain('chain hostports: + tcp dport 8080 dnat to 10.22.0.2:80');
    expect(text).toContain('portmap: sysctl net.ipv4.conf.cni0.route_localnet 0 -> 1; ');
    const owned = node.lastCall().changes.filter(({ whose }: Change) => whose === 'this');
    expect(owned.map(({ kind }: Change) => kind)).toContain('nft rule');
    expect(owned.map(({ kind }: Change) => kind)).toContain('link');
  });

  test('of debug as the bridge itself, and of its hooks', () => {
    node.cniPath = cniPath.ours;
    const [own] = JSON.parse(node.wrapping()).plugins;
    const { delegate: _, ...keys } = own;
    const addHooks = [['ip', 'addr', 'add', '192.0.2.7/32', 'dev', 'lo']];
    const plugins = [{ ...keys, ...node.bridge({ type: 'debug' }), addHooks }];
    node.chain('add', JSON.stringify({ cniVersion: '1.0.0', name: 'net', plugins }));
    expect(node.sentences().map((text) => text.split(':')[0])).toEqual([
      'bridge',
      'bridge in the container',
      'addHooks in the container',
    ]);
    expect(node.sentences().at(-1)).toBe('addHooks in the container: + address 192.0.2.7/32 on lo');
  });

  test('of an ADD that failed, and what took it back', () => {
    node.cniPath = cniPath.ours;
    node.chain('add', node.wrapping(node.bridge(), { type: 'none' }));
    const { changes } = node.scratch.records().find(({ kind }) => kind === 'call') as Json;
    const links = changes.filter(
      ({ kind, namespace }: Change) => kind === 'link' && namespace === 'container',
    );
    expect(links.map(({ change, object }: Change) => `${change} ${object}`)).toEqual([
      'added eth0',
      'removed eth0',
    ]);
  });

  test('of GC, whose doing it is that what others left goes', async () => {
    const conflist = node.wrapping(node.bridge(), node.portmap());
    const [, veth] = node.chain('add', conflist).interfaces;
    const { plugins, ...list } = JSON.parse(conflist);
    const document = { ...list, cniVersion: '1.1.0', ...plugins[0], 'cni.dev/valid-attachments': [] };
    expect(await node.call('GC', document, {})).toMatchObject({ status: 0 });
    const text = node.sentences().join('\n');
    expect(text).not.toContain('meanwhile');
    expect(text).toMatch(new RegExp(`^bridge: .*- link ${veth.name} `));
    expect(text).toContain('portmap: map hostport_any4: - tcp 8080 -> 10.22.0.2:80');
    const element = node.lastCall().changes.find(({ kind }: Change) => kind === 'nft element');
    expect(element).toMatchObject({ owner: { network: 'net', containerID: 'pod1', ifName: 'eth0' } });
  });
});
