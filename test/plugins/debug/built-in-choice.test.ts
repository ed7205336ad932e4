import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { isThisProgram } from '../../../src/runtime/this-program.ts';
import { answered, executable, programs, Scratch } from '../../program.ts';
import { BuiltInCall } from './built-in-call.ts';
import { answer, FakePlugin, result } from './fake-plugin.ts';

const delegate = { type: 'one' };
const other = { ...result, ips: [{ address: '10.22.0.9/16', interface: 0 }] };

/** What this process counts as its program: an executable, as it is outside of tests. */
const scratch = new Scratch();
const own = `${scratch.folder}/own`;
const argument = process.argv[1] as string;
beforeAll(() => {
  writeFileSync(own, '#!/bin/sh\nexit 4\n', { mode: 0o755 });
  process.argv[1] = own;
});
afterAll(() => {
  process.argv[1] = argument;
  scratch.remove();
});

/** Which of the two answers, with `path` in CNI_PATH made by the function. */
async function chosen(make: (path: string, call: BuiltInCall) => void, keys = {}) {
  using call = new BuiltInCall();
  make(`${call.folder}/one`, call);
  const given = await call.run('ADD', { one: call.plugin(result) }, { delegate, ...keys });
  const [account] = call.record.delegates;
  return { given, account, operations: call.operations, folder: call.folder };
}

const executed = (_: string, call: BuiltInCall) => call.writeOther('one', answer(other));

describe('a plugin that is built in', () => {
  test.each([
    ['nothing of its name is in CNI_PATH', () => {}],
    ['a link to this program is', (path: string) => symlinkSync(own, path)],
    [
      'a link to a link to it is',
      (path: string) => {
        symlinkSync(own, `${path}-real`);
        symlinkSync('one-real', path);
      },
    ],
  ])('runs in process where %s', async (_, make) => {
    const { given, account, operations } = await chosen(make);
    expect(answered(given)).toEqual(result);
    expect(account).toMatchObject({ type: 'one', inProcess: true });
    expect(account).not.toHaveProperty('argv');
    expect(operations).toEqual(['ADD one']);
  });

  test('gives way to another executable of its name: a suspect is not swapped', async () => {
    const { given, account, operations, folder } = await chosen(executed);
    expect(answered(given)).toEqual(other);
    expect(account).toMatchObject({ argv: [`${folder}/one`], status: 0 });
    expect(account).not.toHaveProperty('inProcess');
    expect(operations).toEqual([]);
  });

  test('gives way to the first one in CNI_PATH, and to no later one', async () => {
    using call = new BuiltInCall();
    const [first, second] = [`${call.folder}/first`, `${call.folder}/second`];
    for (const folder of [first, second]) mkdirSync(folder);
    symlinkSync(own, `${first}/one`);
    writeFileSync(`${second}/one`, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const builtIns = { one: call.plugin(result) };
    const inOrder = (...folders: string[]) =>
      call.run('ADD', builtIns, { delegate }, { CNI_PATH: folders.join(':') });
    expect(answered(await inOrder(first, second))).toEqual(result);
    expect(answered(await inOrder(second, first)).msg).toContain(`(${second}/one) exited with status 3`);
    expect(answered(await inOrder('/nowhere', first))).toEqual(result);
  });

  test.each([
    [
      'not executable',
      (path: string) => writeFileSync(path, '', { mode: 0o644 }),
      'but is not executable: chmod +x',
    ],
    ['a broken link', (path: string) => symlinkSync('/nowhere', path), 'is a broken link to /nowhere'],
    ['a folder', (path: string) => mkdirSync(path), 'is a directory'],
    [
      'broken',
      (path: string) => writeFileSync(path, 'MZ', { mode: 0o755 }),
      'could not be started for ADD: ENOEXEC',
    ],
  ])('is not put in the place of one that is %s', async (_, make, complaint) => {
    const { given, operations } = await chosen(make);
    expect(answered(given)).toMatchObject({ code: 101, msg: expect.stringContaining(complaint) });
    expect(operations).toEqual([]);
  });

  test('runs in process for every command without CNI_PATH', async () => {
    using call = new BuiltInCall();
    const keys = { cniVersion: '1.1.0', delegate };
    const given = await call.run('STATUS', { one: call.plugin(result) }, keys, { CNI_PATH: '' });
    expect(given).toMatchObject({ status: 0, stdout: '' });
    expect(call.operations).toEqual(['STATUS one']);
  });

  test('with another plugin beside it in a list, each is chosen by itself', async () => {
    using call = new BuiltInCall();
    call.writeOther('two', answer(other));
    const keys = { delegate: [{ type: 'one' }, { type: 'two' }] };
    const builtIns = { one: call.plugin(result), two: call.plugin(result) };
    expect(answered(await call.run('ADD', builtIns, keys))).toEqual(other);
    expect(call.record.delegates).toMatchObject([{ inProcess: true }, { argv: [`${call.folder}/two`] }]);
  });
});

describe('"external": true', () => {
  test('executes what is in CNI_PATH, be it this program', async () => {
    const external = { external: true };
    expect((await chosen(executed, external)).account).toMatchObject({ status: 0 });
    const { account, operations } = await chosen((path) => symlinkSync(own, path), external);
    expect(account).toMatchObject({ argv: [expect.stringMatching(/\/one$/)], status: 4 });
    expect(operations).toEqual([]);
  });

  test('and finds nothing where nothing is', async () => {
    const { given, folder } = await chosen(() => {}, { external: true });
    expect(answered(given)).toMatchObject({
      code: 101,
      msg: `plugin "one" was not found in ${folder} (CNI_PATH)`,
    });
  });

  test('is a key like the others', async () => {
    const { given } = await chosen(() => {}, { external: 'yes' });
    expect(answered(given)).toMatchObject({ code: 7, msg: 'external: "yes" is not a boolean' });
  });
});

test('whether a file is this program is told by the file, not by its name', () => {
  const [link = '', hardLink = '', copy = ''] = ['link', 'hard', 'copy'].map((name) => `${own}-${name}`);
  symlinkSync('own', link);
  linkSync(own, hardLink);
  copyFileSync(own, copy);
  expect([own, link, hardLink, copy, '/nowhere'].map(isThisProgram)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

describe.each(programs)('%s', (name, argv) => {
  const program = name === 'node' ? (argv[1] as string) : executable.BIN;

  test.each([
    ['nothing of its name', () => {}],
    ['a link to the program itself', (path: string) => symlinkSync(program, path)],
  ])('with %s in CNI_PATH, host-local runs in process', async (_, make) => {
    using fake = new FakePlugin();
    make(`${fake.folder}/host-local`);
    const ipam = { type: 'host-local', subnet: '10.27.0.0/24', dataDir: `${fake.folder}/leases` };
    const keys = { delegate: { type: 'host-local', ipam } };
    const given = await fake.call('ADD', keys, {}, argv);
    expect(answered(given).ips).toEqual([{ address: '10.27.0.2/24', gateway: '10.27.0.1' }]);
    const [begin, { id, delegates, steps }] = fake.records();
    expect(begin).toMatchObject({ kind: 'begin', id });
    expect(delegates).toMatchObject([{ type: 'host-local', command: 'ADD', inProcess: true }]);
    expect(steps.map(({ name }: { name: string }) => name)).toContain('host-local: wait for the lease lock');
    expect((await fake.call('ADD', keys, {}, argv)).status).toBe(1);
    expect((await fake.call('DEL', keys, {}, argv)).status).toBe(0);
    expect(existsSync(`${fake.folder}/leases/net/10.27.0.2`)).toBe(false);
  });

  test('with another one there, that is executed', async () => {
    using fake = new FakePlugin();
    fake.writeOther('host-local', answer(result));
    const given = await fake.call('ADD', { delegate: { type: 'host-local' } }, {}, argv);
    expect(answered(given)).toEqual(result);
    expect(fake.commandsWithTypes()).toEqual(['ADD host-local']);
  });
});
