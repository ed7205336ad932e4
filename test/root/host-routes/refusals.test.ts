import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { prevResult } from '../../program.ts';
import { requires } from '../../requirements.ts';
import type { Pod } from '../site.ts';
import { dataDirOf, type Json, TwoNodes } from './two-nodes.ts';

const good = { dst: '100.100.2.0/24', gw: '200.0.0.30', dev: 'enp8s0' };

describe.if(requires('root', 'ip'))('host-routes refuses before it changes anything', () => {
  let nodes: TwoNodes;
  let pod: Pod;
  beforeAll(() => {
    nodes = new TwoNodes();
    pod = nodes.here.pod();
    const ip = (...words: string[]) => nodes.here.onNode('ip', ...words);
    ip('link', 'add', 'cni0', 'type', 'bridge');
    ip('addr', 'add', '100.100.0.1/24', 'dev', 'cni0');
    ip('route', 'add', 'default', 'via', '200.0.0.1');
    ip('route', 'add', 'default', 'via', '200.0.0.129', 'metric', '9');
  });
  afterAll(() => nodes[Symbol.dispose]());

  const configuration = (keys: Json): Json => ({
    ...{ cniVersion: '1.1.0', name: 'net', type: 'host-routes', dataDir: dataDirOf(nodes.here) },
    prevResult: { ...prevResult, cniVersion: '1.1.0' },
    ...keys,
  });
  const fail = async (keys: Json, command = 'ADD') => {
    const before = nodes.here.snapshot();
    const error = await nodes.here.fail(command, configuration(keys), { pod });
    expect(nodes.here.snapshot()).toEqual(before);
    expect(existsSync(dataDirOf(nodes.here))).toBeFalse();
    return error;
  };

  test.each([
    ['default', { ...good, dst: '0.0.0.0/0' }, 'routes[1].dst: "0.0.0.0/0" is the default route'],
    ['default of IPv6', { dst: '::/0', gw: 'fd00:200::30' }, 'routes[1].dst: "::/0" is the default route'],
    ['the node', { ...good, dst: '200.0.0.16/28' }, 'covers 200.0.0.20, the node\'s own address on "enp8s0"'],
    ['a bridge', { ...good, dst: '100.100.0.0/24' }, 'covers 100.100.0.1, the node\'s own address on "cni0"'],
    ['lo', { ...good, dst: '127.0.0.0/8' }, 'covers 127.0.0.1, the node\'s own address on "lo"'],
    ['all', { dst: 'fd00::/8', gw: 'fd00:200::30' }, 'routes[1].dst: fd00::/8 covers fd00:200::20'],
    ['the way out', { ...good, dst: '200.0.0.0/28' }, 'covers 200.0.0.1, the gateway of its default route'],
    ['the other way out', { ...good, dst: '200.0.0.128/25' }, 'covers 200.0.0.129, the gateway of its'],
    [
      'a peer',
      { ...good, dst: '200.0.0.24/29', gw: '200.0.0.40' },
      'covers 200.0.0.30, the gateway of routes[0]',
    ],
    ['its gateway', { ...good, dst: '200.0.0.40/29', gw: '200.0.0.41' }, 'the gateway of routes[1]'],
    ['host bits', { ...good, dst: '100.100.3.1/24' }, 'has host bits: its network is 100.100.3.0/24'],
    ['no network', { ...good, dst: '100.100.3.0' }, 'routes[1].dst: "100.100.3.0" is not a CIDR address'],
    ['no dst', { gw: '200.0.0.30' }, 'routes[1].dst: is missing'],
    ['twice', good, 'routes[1].dst: "100.100.2.0/24" stands in routes[0].dst already'],
    [
      'no gateway',
      { ...good, dst: '100.100.3.0/24', gw: 'node2' },
      'routes[1].gw: "node2" is not an IP address',
    ],
    ['empty gateway', { ...good, dst: '100.100.3.0/24', gw: '' }, 'routes[1].gw: "" is not an IP address'],
    ['itself', { dst: '100.100.3.0/24', gw: '200.0.0.20' }, 'routes[1].gw: 200.0.0.20 is this node itself'],
    ['nobody', { dst: '100.100.3.0/24', gw: '0.0.0.0' }, 'routes[1].gw: "0.0.0.0" is no address of a node'],
    ['mixed families', { dst: 'fd00:1::/64', gw: '200.0.0.30' }, 'routes[1].gw: "200.0.0.30" is of IPv4'],
    ['any link', { dst: 'fd00:1::/64', gw: 'fe80::1' }, 'routes[1].gw: "fe80::1" is on every link'],
    ['no way', { dst: '100.100.3.0/24' }, 'routes[1]: {"dst":"100.100.3.0/24"} has neither "gw" nor "dev"'],
    [
      'no device',
      { dst: '100.100.3.0/24', dev: 'eth9' },
      'routes[1].dev: "eth9" is no interface of this node',
    ],
    ['bad device', { dst: '100.100.3.0/24', dev: 'a/b' }, 'routes[1].dev: "a/b" must have no'],
    ['no object', 'x', 'routes[1]: "x" is not an object'],
    ['nothing', null, 'routes[1]: is missing'],
  ])('%s', async (_, route, message) => {
    const { code, msg } = await fail({ routes: [good, route] });
    expect(code).toBe(7);
    expect(msg).toContain(message);
  });

  test.each([
    ['no list', { routes: 5 }, 'routes: 5 is not an array'],
    ['neither', {}, 'routes: is missing, and so is "peersFile"'],
    ['both', { routes: [], peersFile: '/none' }, 'peersFile: stands beside "routes"'],
    ['no path', { peersFile: 'peers.json' }, 'peersFile: "peers.json" is not an absolute path'],
    ['no folder', { routes: [], dataDir: 'x' }, 'dataDir: "x" is not an absolute path'],
    ['no chain', { routes: [], prevResult: undefined }, 'must be called as chained plugin'],
  ])('%s', async (_, keys, message) => {
    const error = await nodes.here.fail('ADD', configuration(keys), { pod });
    expect(error).toMatchObject({ code: 7, msg: expect.stringContaining(message) });
  });

  test('all of it at once, and STATUS says the same with code 50', async () => {
    const routes = [{ dst: '0.0.0.0/0', gw: 'x' }, { dst: '100.100.3.0/24' }, good];
    const { msg } = await fail({ routes });
    for (const part of ['routes[0].dst', 'routes[0].gw', 'routes[1]']) expect(msg).toContain(part);
    const device = [
      { ...good, dev: 'eth9' },
      { ...good, dst: '200.0.0.0/24' },
    ];
    const status = await fail({ routes: device }, 'STATUS');
    expect(status.code).toBe(50);
    for (const part of ['"eth9" is no interface', 'covers 200.0.0.20']) expect(status.msg).toContain(part);
  });
});
