import { afterEach, beforeEach, expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { answered, prevResult, Scratch } from '../../program.ts';
import { FakePlugin } from './fake-plugin.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

test('of very many problems the first ones are named, and how many more there are', async () => {
  const ips = Array.from({ length: 20_000 }, () => ({ address: 'x' }));
  const answer = await scratch.call('ADD', { prevResult: { ...prevResult, ips } });
  expect(answered(answer).msg).toStartWith('prevResult.ips[0].address: "x" is not a CIDR address; ');
  expect(answered(answer).msg).toEndWith('; and 19950 more');
  expect(answered(answer).msg.length).toBeLessThan(10_000);
});

test('one large call does not push the others out of the journal', async () => {
  await scratch.call('ADD', { prevResult: { ...prevResult, vendor: 'x'.repeat(4 << 20) } });
  expect(statSync(scratch.journal).size).toBeLessThan(512 * 1024);
  expect(scratch.records()[0].prevResult).toMatch(/^\{"cniVersion":"1\.0\.0".*more characters\)$/);
  expect(readFileSync(scratch.log).length).toBeGreaterThan(4 << 20);
});

test('a malformed result is passed on as it came, also where each address has a version', async () => {
  const ips = ['10.1.0.5/16', { address: 'junk' }];
  const keys = { cniVersion: '0.3.1', validate: 'warn', prevResult: { cniVersion: '0.3.1', ips } };
  expect(answered(await scratch.call('ADD', keys)).ips).toEqual(ips);
});

test.each(['DEL', 'GC'])('%s reaches a delegate whose other keys are malformed', async (command) => {
  using fake = new FakePlugin();
  const delegate = { type: 'fake', capabilities: { portMappings: 'true' } };
  const answer = await fake.call(command, { cniVersion: '1.1.0', delegate });
  expect(answer).toMatchObject({ status: 0, stdout: '' });
  expect(fake.calls()).toHaveLength(1);
});

test.each(['DEL', 'GC'])('%s says when it cannot know what to delegate to', async (command) => {
  using fake = new FakePlugin();
  const answer = await fake.call(command, { cniVersion: '1.1.0', delegate: 'fake' });
  expect(answered(answer)).toMatchObject({ code: 7, msg: 'delegate: "fake" is not an object' });
});

test.each(['DEL', 'GC'])('%s goes on however many keys are malformed', async (command) => {
  using fake = new FakePlugin();
  const addHooks = Array.from({ length: 60 }, () => []);
  const answer = await fake.wrap(command, { cniVersion: '1.1.0', addHooks, validate: 'maybe', strictLog: 1 });
  expect(answer).toMatchObject({ status: 0, stdout: '' });
  expect(fake.commands()).toEqual([command]);
});

test('of very many indexes into nothing the first ones are named', async () => {
  const ips = Array.from({ length: 20_000 }, () => ({ address: '10.0.0.1/8', interface: 9 }));
  const answer = await scratch.call('ADD', { prevResult: { ...prevResult, ips } });
  expect(answered(answer).msg).toStartWith('prevResult.ips[0].interface: 9 is out of range');
  expect(answered(answer).msg).toEndWith('; and 19950 more');
});
