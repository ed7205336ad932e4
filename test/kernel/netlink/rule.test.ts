import { expect, test } from 'bun:test';
import { decodeRule, listRules, type Rule } from '../../../src/kernel/netlink/rule.ts';
import { openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { requires } from '../../requirements.ts';
import { scratchNamespace } from '../scratch.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const captured = capturedPayloads('rules', 32);

test('captured rules', () => {
  const ofKernel = { action: 1, protocol: 2 };
  expect(captured.flatMap((payload) => decodeRule(payload) ?? [])).toEqual([
    { ...ofKernel, family: 4, table: 255 },
    {
      ...{ family: 4, priority: 100, src: '10.22.0.5/32', dst: '10.30.0.0/16', iif: 'eth0' },
      ...{ action: 1, table: 1000, protocol: 99 },
    },
    {
      ...{ family: 4, priority: 200, oif: 'eth0', mark: 0x2000, mask: 0xf000, ipProtocol: 6, dport: '80-90' },
      ...{ tos: 0x10, action: 2, table: 0, goto: 32766, inverted: true, protocol: 0 },
    },
    { family: 4, priority: 300, action: 1, table: 254, suppressPrefixLength: 0, protocol: 0 },
    { family: 4, priority: 1000, action: 1, table: 0, l3mdev: true, protocol: 0 },
    { ...ofKernel, family: 4, priority: 32766, table: 254 },
    { ...ofKernel, family: 4, priority: 32767, table: 253 },
    { ...ofKernel, family: 6, table: 255 },
    {
      ...{ family: 6, priority: 400, src: 'fd00:22::/64', sport: '53', uid: '1000-1999' },
      ...{ action: 6, table: 0, protocol: 0 },
    },
    { ...ofKernel, family: 6, priority: 32766, table: 254 },
  ] satisfies Rule[]);
});

test('other families are left out', () => {
  // Those of multicast routes, which nobody asked for.
  expect(captured.length - captured.flatMap((payload) => decodeRule(payload) ?? []).length).toBe(2);
});

test('mutated rules', () => {
  expectNoCrash(captured, decodeRule);
});

test.if(requires('root', 'ip'))('listRules agrees with `ip rule`', () => {
  const scratch = scratchNamespace('rule add priority 7 from 10.9.0.0/16 table 70000');
  try {
    const namespace = openNamespace(scratch.path);
    const socket = openRouteSocket(namespace);
    namespace.close();
    const found = listRules(socket);
    socket.close();
    const listed = ['-4', '-6'].flatMap((family) =>
      scratch.show<{ priority: number }[]>(family, 'rule', 'show'),
    );
    expect(found.map(({ priority = 0 }) => priority)).toEqual(listed.map(({ priority }) => priority));
    expect(found).toContainEqual(expect.objectContaining({ src: '10.9.0.0/16', table: 70000 }));
  } finally {
    scratch.remove();
  }
});
