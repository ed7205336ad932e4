import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import type { Invocation } from '../../../src/cni/plugin.ts';
import { answered, prevResult } from '../../program.ts';
import { BuiltInCall } from './built-in-call.ts';
import { result } from './fake-plugin.ts';

const ipam = { type: 'host-local', ranges: [[{ subnet: '10.22.0.0/16' }]] };
const keys = { bridge: 'cni0', isGateway: true, ipam };

/** A call of `debug` with `ipam`, and what the bridge was given. */
async function standalone(command: string, own: Record<string, unknown> = keys) {
  using call = new BuiltInCall();
  // Whatever else is called bridge is another plugin.
  writeFileSync(`${call.folder}/bridge`, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  const seen: Invocation[] = [];
  const see = (invocation: Invocation) => void seen.push(invocation);
  const bridge = call.plugin(result, ({ step }) => ({
    add: (invocation) => {
      see(invocation);
      step('create bridge "cni0"', () => {});
      return result as never;
    },
    ...{ check: see, del: see, gc: see, status: see },
  }));
  const given = await call.run(command, { bridge }, own);
  return { given, seen, record: call.record, operations: call.operations, call };
}

test('with ipam, debug is the bridge: its keys are its own, and its steps those of the call', async () => {
  const { given, seen, record, call } = await standalone('ADD', {
    ...keys,
    args: { a: 1 },
    runtimeConfig: { mac: 'x' },
  });
  expect(answered(given)).toEqual(result);
  expect(seen[0]?.document as unknown).toEqual({
    ...{
      cniVersion: '1.0.0',
      name: 'net',
      type: 'debug',
      cniOutput: call.log,
      journal: { path: call.journal },
    },
    ...{ ...keys, args: { a: 1 }, runtimeConfig: { mac: 'x' } },
  });
  expect(record.steps.map(({ name }: { name: string }) => name)).toEqual([
    'bridge ADD',
    'bridge: create bridge "cni0"',
  ]);
  expect(record).toMatchObject({ plugin: 'debug', delegates: [], result });
});

test.each(['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'])('%s is one for the bridge, too', async (command) => {
  const own = {
    ...keys,
    cniVersion: '1.1.0',
    validate: 'warn',
    prevResult: { ...prevResult, cniVersion: '1.1.0' },
  };
  const { given, operations } = await standalone(command, own);
  expect(given.status).toBe(0);
  expect(operations).toEqual([`${command} debug`]);
});

test('an ipam without a type beside bridge is an interface without addresses, and external means delegates', async () => {
  const { operations } = await standalone('ADD', { Bridge: 'cni0', ipam: {}, external: true });
  expect(operations).toEqual(['ADD debug']);
});

// Older tools in Go write `"ipam": {}` into every configuration.
describe.each([{}, { type: '' }, { type: null }, { subnet: '10.22.0.0/16' }])('ipam %j alone', (untyped) => {
  test.each(['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'])('makes no bridge on %s', async (command) => {
    const own = { ipam: untyped, validate: 'warn', cniVersion: '1.1.0' };
    const before = { ...prevResult, cniVersion: '1.1.0' };
    const { given, operations } = await standalone(command, { ...own, prevResult: before });
    expect(given).toMatchObject({ status: 0 });
    if (command === 'ADD') expect(answered(given)).toEqual(before);
    expect(operations).toEqual([]);
  });

  test('may stand beside delegate', async () => {
    const { given, record } = await standalone('DEL', { ipam: untyped, delegate: { type: 'bridge' } });
    expect(answered(given).msg).toContain('exited with status 3');
    expect(record.findings).toEqual([]);
  });
});

describe('a subnet', () => {
  const subnet = '100.100.0.0/24';

  test.each(['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'])('beside bridge makes one on %s', async (command) => {
    const own = { bridge: 'cni0', subnet, cniVersion: '1.1.0', validate: 'warn', prevResult };
    const { given, operations, seen } = await standalone(command, own);
    expect(given.status).toBe(0);
    expect(operations).toEqual([`${command} debug`]);
    expect(seen[0]?.document).toMatchObject({ bridge: 'cni0', subnet });
  });

  test.each([{ bridge: 'cni0', subnet: null }, { subnet }, { subnet, ipam: {} }])(
    '%j makes none',
    async (own) => {
      const { given, operations } = await standalone('ADD', own);
      expect(answered(given).msg).toContain('or "bridge" and "subnet"');
      expect(operations).toEqual([]);
    },
  );

  test('and bridge beside delegate are two interfaces', async () => {
    const both = { bridge: 'cni0', subnet, delegate: { type: 'bridge' } };
    const { given, operations } = await standalone('ADD', both);
    expect(answered(given)).toMatchObject({
      code: 7,
      msg: expect.stringContaining('subnet: stands beside "delegate"'),
    });
    expect(operations).toEqual([]);
    const { given: deleted, record } = await standalone('DEL', both);
    expect(answered(deleted).msg).toContain('exited with status 3');
    expect(record.findings).toMatchObject([{ rule: 'malformed-key', object: 'subnet' }]);
  });
});

test('null is as good as no ipam', async () => {
  const { given, operations } = await standalone('ADD', { ipam: null });
  expect(answered(given).msg).toContain('or an "ipam" with a "type" to be the bridge itself');
  expect(operations).toEqual([]);
});

test('ADD does not look at prevResult, CHECK needs it', async () => {
  expect(answered((await standalone('ADD', { ...keys, prevResult: { ips: 5 } })).given)).toEqual(result);
  const { given } = await standalone('CHECK');
  expect(answered(given)).toMatchObject({
    code: 7,
    msg: 'prevResult: is missing, and CHECK compares with it',
  });
});

test.each([
  ['ADD', 5],
  ['DEL', 5],
  ['DEL', []],
  ['GC', { type: 5 }],
])(
  'what is wrong with ipam is said by the bridge, which still removes what it made: %s, %j',
  async (command, ipam) => {
    const { given, operations } = await standalone(command, { ipam, cniVersion: '1.1.0' });
    expect(given.status).toBe(0);
    expect(operations).toEqual([`${command} debug`]);
  },
);

test('a strict hook that fails undoes it', async () => {
  const own = { ...keys, addHooks: [['/nowhere/hook']], strictHooks: true };
  const { given, operations, seen } = await standalone('ADD', own);
  expect(answered(given).code).toBe(102);
  expect(operations).toEqual(['ADD debug', 'DEL debug']);
  expect(seen[1]?.configuration.prevResult as unknown).toEqual(result);
});

describe('ipam beside delegate', () => {
  const both = { ...keys, delegate: { type: 'bridge' } };
  const msg =
    'ipam: stands beside "delegate", and each of them makes an interface. Move it into the delegate whose it is, ' +
    'or remove "delegate" where "debug" is to be the bridge itself';

  test.each(['ADD', 'CHECK', 'STATUS'])('is an error on %s', async (command) => {
    const own = { ...both, cniVersion: '1.1.0', prevResult: { ...prevResult, cniVersion: '1.1.0' } };
    const { given, operations } = await standalone(command, own);
    expect(answered(given)).toMatchObject({ code: 7, msg });
    expect(operations).toEqual([]);
  });

  test.each(['DEL', 'GC'])('is a finding on %s, and the delegate has its turn', async (command) => {
    const { given, record } = await standalone(command, { ...both, cniVersion: '1.1.0' });
    expect(answered(given).msg).toContain('exited with status 3');
    expect(record.findings).toEqual([{ rule: 'malformed-key', object: 'ipam', message: msg }]);
  });

  test('also where the delegate is malformed: then nothing is known of who made what', async () => {
    const { given, operations } = await standalone('DEL', { ...both, delegate: {} });
    expect(answered(given)).toMatchObject({ code: 7, msg: 'delegate.type: is missing' });
    expect(operations).toEqual([]);
  });
});
