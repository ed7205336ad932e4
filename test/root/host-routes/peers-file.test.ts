import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prevResult } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { type Pod, type Site, succeeded } from '../site.ts';
import { dataDirOf, type Json, routesOf, TwoNodes } from './two-nodes.ts';

const peer = { dst: '100.100.2.0/24', gw: '200.0.0.30', dev: 'enp8s0' };
const more = { dst: '100.100.3.0/24', gw: '200.0.0.31', dev: 'enp8s0' };
const line = ({ dst, gw, dev }: typeof peer) => `${dst} via ${gw} dev ${dev}`;
const valid = 'cni.dev/valid-attachments';

describe.if(requires('root', 'ip'))('peersFile of host-routes', () => {
  let nodes: TwoNodes;
  let site: Site;
  let pod: Pod;
  let peersFile: string;
  beforeEach(() => {
    nodes = new TwoNodes();
    site = nodes.here;
    pod = site.pod('one');
    peersFile = join(site.scratch.folder, 'peers.json');
  });
  afterEach(() => nodes[Symbol.dispose]());

  /** As an agent does: whole, or not at all. */
  const rewrite = (content: Json) => {
    writeFileSync(`${peersFile}.new`, typeof content === 'string' ? content : JSON.stringify(content));
    renameSync(`${peersFile}.new`, peersFile);
  };
  const configuration = (keys: Json = {}): Json => ({
    ...{ cniVersion: '1.1.0', name: 'net', type: 'host-routes', dataDir: dataDirOf(site), peersFile },
    prevResult: { ...prevResult, cniVersion: '1.1.0' },
    ...keys,
  });
  /** ADD that succeeds: what it says on stderr. */
  const add = async () => succeeded(await site.call('ADD', configuration(), { pod })).stderr;

  test('a list that is rewritten is the node’s with the next ADD or GC', async () => {
    rewrite([peer]);
    expect(await add()).toBe('');
    expect(routesOf(site)).toEqual([line(peer)]);
    rewrite([{ ...peer, gw: '200.0.0.40' }, more]);
    expect(await add()).toBe('');
    expect(routesOf(site)).toEqual([line({ ...peer, gw: '200.0.0.40' }), line(more)]);
    rewrite([more]);
    const one = [{ containerID: 'one', ifname: 'eth0' }];
    expect(await site.call('GC', configuration({ [valid]: one }))).toMatchObject({ status: 0, stderr: '' });
    expect(routesOf(site)).toEqual([line(more)]);
    succeeded(await site.call('CHECK', configuration(), { pod }));
    rewrite([]);
    expect(await add()).toBe('');
    expect(routesOf(site)).toEqual([]);
  });

  test.each<[string, Json, string]>([
    ['half of a list', '[{ "dst": "100.100.2.0/24", "gw"', 'is not JSON'],
    ['nothing', '', 'is not JSON'],
    ['null', 'null', 'is no list of routes'],
    ['an object', { routes: [] }, 'is no list of routes'],
    ['a wrong value', [more, { ...peer, gw: 'x' }], 'peers.json[1].gw: "x" is not an IP address'],
    ['this node’s own subnet', [more, { ...peer, dst: '200.0.0.0/24' }], 'covers 200.0.0.20'],
    ['a link that is not there', [{ ...more, dev: 'eth9' }], '[0].dev: "eth9" is no interface of this node'],
    ['a gateway that cannot be reached', [more, { ...peer, gw: '203.0.113.9' }], 'ENETUNREACH'],
    ['very much', ' '.repeat(4 * 1024 * 1024 + 1), 'is longer than 4194304 bytes'],
  ])('with %s the last good list stays, also where a route of it got lost', async (_, content, complaint) => {
    rewrite([peer, { ...more, dst: '100.100.4.0/24' }]);
    await add();
    const before = routesOf(site);
    site.onNode('ip', 'route', 'del', peer.dst);
    rewrite(content);
    const said = await add();
    expect(said).toContain(complaint);
    expect(said).toContain('the routes of the last good list stay');
    expect(routesOf(site)).toEqual(before);
    const check = await site.call('CHECK', configuration(), { pod });
    // What the kernel will refuse can only be seen by asking it for the route: to CHECK it is missing.
    expect(check.stdout + check.stderr).toContain(complaint === 'ENETUNREACH' ? '203.0.113.9' : complaint);
    expect(check.status).toBe(complaint === 'ENETUNREACH' ? 1 : 0);
  });

  test('of a file that is wrong in very many places the first are said', async () => {
    rewrite([peer]);
    await add();
    rewrite(Array.from({ length: 300_000 }, () => 5));
    const said = await add();
    expect(said).toContain('peers.json[0]: 5 is not an object');
    expect(said.length).toBeLessThan(10_000);
    rewrite(
      Array.from({ length: 3000 }, (_, index) => ({
        dst: `100.101.${index >> 8}.${index & 255}/32`,
        dev: 'eth9',
      })),
    );
    const more = await add();
    expect(more).toContain('[0].dev: "eth9" is no interface of this node');
    expect(more).toContain('and 2980 more');
    expect(routesOf(site)).toEqual([line(peer)]);
  });

  test('a state that cannot be read keeps no pod from its ADD', async () => {
    rewrite([peer]);
    mkdirSync(join(dataDirOf(site), 'net.json'), { recursive: true });
    expect(await add()).toContain('net.json": Is a directory (EISDIR)');
  });

  test('a file that is missing or no file is said, with and without a list before it', async () => {
    const missing = `open ${JSON.stringify(peersFile)}: No such file or directory (ENOENT)`;
    expect(await add()).toContain(missing);
    expect(routesOf(site)).toEqual([]);
    rewrite([peer]);
    await add();
    rmSync(peersFile);
    expect(await add()).toContain(missing);
    expect(routesOf(site)).toEqual([line(peer)]);
    site.onNode('mkfifo', peersFile);
    expect(await add()).toContain('is no regular file');
    rmSync(peersFile);
    mkdirSync(peersFile);
    expect(await add()).toContain('Is a directory (EISDIR)');
    expect(routesOf(site)).toEqual([line(peer)]);
  });

  test('STATUS is 50 until the file is there and good', async () => {
    const status = () => site.call('STATUS', configuration());
    expect(await site.fail('STATUS', configuration())).toMatchObject({
      code: 50,
      msg: expect.stringContaining('No such file or directory (ENOENT)'),
    });
    rewrite([{ ...peer, dev: 'eth9' }]);
    expect(await site.fail('STATUS', configuration())).toMatchObject({ code: 50 });
    rewrite([peer]);
    expect(await status()).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('a finding of debug, where that runs it', async () => {
    const { log: cniOutput, journal: path } = site.scratch;
    const { prevResult: _, type, peersFile: file, dataDir, ...common } = configuration();
    const bridge = { type: 'bridge', isGateway: true, ipam: site.ipam(['10.50.0.0/16']) };
    const delegate = [bridge, { type, peersFile: file, dataDir }];
    await site.add({ ...common, type: 'debug', cniOutput, journal: { path }, delegate }, { pod });
    const { findings } = site.scratch.records().at(-1);
    expect(findings).toEqual([expect.objectContaining({ rule: 'peers-file', object: peersFile })]);
  });
});
