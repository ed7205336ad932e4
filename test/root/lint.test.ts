import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createNamespace, removeNamespace } from '../../src/kernel/named-namespace.ts';
import { builtInPath, debug } from '../program.ts';
import { requires } from '../requirements.ts';
import { commandIn, startIn } from './namespace-command.ts';

const cniDebug = join(dirname(debug[0] ?? ''), 'cni-debug');
const netns = `/run/netns/cni-debug-test-${process.pid}-lint`;
const folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
const path = join(folder, '10-net.conflist');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The findings on a bridge "pods0" with this subnet, as `ID message`. */
async function lint(subnet: string, keys = {}): Promise<string[]> {
  const bridge = {
    ...{ type: 'bridge', bridge: 'pods0', isGateway: true, ...keys },
    ipam: { type: 'host-local', ranges: [[{ subnet }]] },
  };
  writeFileSync(path, JSON.stringify({ cniVersion: '1.0.0', name: 'net', plugins: [bridge] }));
  const answer = await startIn(netns, [cniDebug, 'lint', path, '--plugin-dir', builtInPath, '--json']);
  expect(answer.stderr).toBe('');
  const findings: { id: string; message: string }[] = JSON.parse(answer.stdout);
  expect(answer.status).toBe(findings.length > 0 ? 1 : 0);
  return findings.map(({ id, message }) => `${id} ${message}`);
}

describe.if(requires('root', 'ip'))('with the addresses and routes of a node', () => {
  const ip = (words: string) => commandIn(netns, 'ip', ...words.split(' '));

  beforeAll(() => {
    createNamespace(netns);
    ip('link set lo up');
    ip('link add up0 type veth peer name up1');
    ip('link set up1 up');
    ip('address add 10.213.5.9/24 dev up0');
    ip('address add fd00:213::9/64 dev up0 nodad');
    ip('link set up0 up');
    ip('route add default via 10.213.5.1');
    ip('route add 0.0.0.0/1 via 10.213.5.1');
    ip('route add 10.214.0.0/16 via 10.213.5.2');
    ip('route add unreachable 10.216.0.0/16');
    ip('link add pods0 type bridge');
    ip('address add 10.215.0.1/16 dev pods0');
    ip('link set pods0 up');
    ip('route add 10.215.7.0/24 dev pods0');
  });
  afterAll(() => removeNamespace(netns));

  test.each([
    ['10.213.0.0/16', 'the address 10.213.5.9/24 of "up0"'],
    ['10.213.5.128/25', 'the address 10.213.5.9/24 of "up0"'],
    ['10.214.9.0/24', 'the route to 10.214.0.0/16 via 10.213.5.2 over "up0"'],
    ['fd00:213::/48', 'the address fd00:213::9/64 of "up0"'],
    ['127.9.0.0/16', 'the address 127.0.0.1/8 of "lo"'],
  ])('%s overlaps with %s', async (subnet, what) => {
    expect(await lint(subnet)).toEqual([`L021 ${subnet} overlaps with ${what}, which this node has`]);
  });

  test.each([
    ['what only the default route leads to, in halves or whole', '10.99.0.0/16'],
    ['what a route refuses', '10.216.0.0/16'],
    ['a neighbouring network', '10.213.6.0/24'],
    ['the own bridge, its address and its routes', '10.215.0.0/16'],
  ])('%s is free: %s', async (_, subnet) => {
    expect(await lint(subnet)).toEqual([]);
  });

  test('the bridge of somebody else is not free', async () => {
    const [found = ''] = await lint('10.215.0.0/16', { bridge: 'other0' });
    expect(found).toContain('overlaps with the address 10.215.0.1/16 of "pods0"');
  });
});
