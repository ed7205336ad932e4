import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { answersPing, isSilent } from '../packets.ts';
import { chain, conflist, fetchPage, type Json, routesOf, servePage, TwoNodes } from './two-nodes.ts';

const addressOf = (result: Json, index = 0): string => result.ips[index].address.split('/')[0];

describe.if(requires('root', 'ip', 'nft', 'ping'))('host-routes between two nodes', () => {
  test('90-host-routes.conflist: pods of different nodes reach each other by their own addresses', async () => {
    using nodes = new TwoNodes();
    const { here, there } = nodes;
    const list = conflist(here, '90-host-routes.conflist');
    const mirrored = conflist(there, '90-host-routes.conflist', (plugin) => {
      if (plugin.ipam) plugin.ipam.ranges = [[{ subnet: '100.100.2.0/24' }]];
      if (plugin.routes) plugin.routes = [{ dst: '100.100.0.0/24', gw: '200.0.0.20', dev: 'enp8s0' }];
    });
    const [one, two] = [here.pod('one'), there.pod('two')];
    const result = chain(here, 'add', list, one);
    const other = chain(there, 'add', { ...mirrored, plugins: [mirrored.plugins[0]] }, two);
    expect([addressOf(result), addressOf(other)]).toEqual(['100.100.0.2', '100.100.2.2']);
    // One way is not enough.
    expect(isSilent(one.netns, '100.100.2.2')).toBeTrue();

    const second = there.pod('three');
    const third = chain(there, 'add', mirrored, second);
    expect(routesOf(here)).toEqual(['100.100.2.0/24 via 200.0.0.30 dev enp8s0']);
    expect(routesOf(there)).toEqual(['100.100.0.0/24 via 200.0.0.20 dev enp8s0']);
    for (const address of ['100.100.2.2', addressOf(third)])
      expect(answersPing(one.netns, address)).toBeTrue();
    expect(answersPing(two.netns, '100.100.0.2')).toBeTrue();
    using _page = await servePage(two.netns);
    expect(fetchPage('100.100.2.2', one.netns)).toBe('a page for 100.100.0.2');
    using _back = await servePage(one.netns);
    expect(fetchPage('100.100.0.2', second.netns)).toBe(`a page for ${addressOf(third)}`);

    expect(chain(here, 'check', list, one, result)).toBeNull();
    // The routes are the node's: they outlive its pods.
    expect(chain(here, 'del', list, one, result)).toBeNull();
    expect(chain(here, 'del', list, one, result)).toBeNull();
    expect(routesOf(here)).toEqual(['100.100.2.0/24 via 200.0.0.30 dev enp8s0']);
  });

  test('91-host-routes-peers-file.conflist: both families, inside debug, and the file comes before the pods', async () => {
    using nodes = new TwoNodes();
    const { here, there } = nodes;
    const lists = [here, there].map((site, index) => {
      const [own, peer] = index === 0 ? [0, 2] : [2, 0];
      const node = index === 0 ? 30 : 20;
      const peersFile = join(site.scratch.folder, 'peers.json');
      const peers = [
        { dst: `100.100.${peer}.0/24`, gw: `200.0.0.${node}` },
        { dst: `fd00:100:${peer}::/64`, gw: `fd00:200::${node}`, dev: 'enp8s0' },
      ];
      writeFileSync(peersFile, JSON.stringify(peers));
      return conflist(site, '91-host-routes-peers-file.conflist', (plugin) => {
        if (plugin.ipam)
          plugin.ipam.ranges = [[{ subnet: `100.100.${own}.0/24` }], [{ subnet: `fd00:100:${own}::/64` }]];
        if (plugin.peersFile) plugin.peersFile = peersFile;
      });
    });
    const [one, two] = [here.pod('one'), there.pod('two')];
    const result = chain(here, 'add', lists[0], one);
    const other = chain(there, 'add', lists[1], two);
    using _page = await servePage(two.netns);
    for (const index of [0, 1]) {
      expect(answersPing(one.netns, addressOf(other, index))).toBeTrue();
      expect(fetchPage(addressOf(other, index), one.netns)).toBe(`a page for ${addressOf(result, index)}`);
    }
    expect(routesOf(here, '67', '-6')).toEqual([
      expect.stringContaining('fd00:100:2::/64 via fd00:200::30 dev enp8s0'),
    ]);
    expect(chain(here, 'check', lists[0], one, result)).toBeNull();
    expect(chain(here, 'del', lists[0], one, result)).toBeNull();
    const calls = here.scratch.records().filter(({ kind }) => kind === 'call');
    expect(calls.flatMap(({ findings }) => findings)).toEqual([]);
    expect(calls[0].delegates.map(({ type, inProcess }: Json) => [type, inProcess])).toEqual([
      ['bridge', true],
      ['host-routes', true],
    ]);
    expect(calls[0].steps.map(({ name }: Json) => name)).toContain(
      'host-routes: add route 100.100.2.0/24 via 200.0.0.30',
    );
  });
});
