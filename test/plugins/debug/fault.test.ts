import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { answered, debug, prevResult, programs, run } from '../../program.ts';
import { FakePlugin, result } from './fake-plugin.ts';

const fault = (keys: object) => ({ allowFaults: true, fault: keys });
const error = { code: 11, msg: 'try again later' };

/** What the finding, the message, the text log and stderr say of a fault, which must be the same. */
function expectLoud(plugin: FakePlugin, stderr: string, did: string): void {
  const record = plugin.records().at(-1);
  expect(record.fault).toBe(did);
  expect(record.msg).toStartWith(`FAULT (${did}): `);
  expect(record.findings).toContainEqual({
    rule: 'fault',
    object: record.command,
    message: `fault: ${did}, because "fault" of the configuration asks for it`,
  });
  expect(record.level).toBeGreaterThanOrEqual(40);
  expect(stderr).toContain(`cni-debug: fault: ${record.command}: ${did}, because "fault"`);
  expect(readFileSync(plugin.log, 'utf8')).toContain(`\nFault: ${did}\n`);
}

describe.each(programs)('%s', (_, argv) => {
  test.each(['ADD', 'CHECK', 'STATUS'])('an error comes in place of the work of %s', async (command) => {
    using plugin = new FakePlugin();
    const keys = { cniVersion: '1.1.0', prevResult, ...fault({ error }) };
    const given = await plugin.wrap(command, keys, {}, argv);
    expect(given.status).toBe(1);
    expect(answered(given)).toMatchObject(error);
    expect(answered(given).details).toStartWith('made by "fault" of the configuration; nothing was done');
    expect(plugin.commands()).toEqual([]);
    expectLoud(plugin, given.stderr, 'error 11 in place of the work');
  });

  test.each(['DEL', 'GC'])('an error comes after the work of %s', async (command) => {
    using plugin = new FakePlugin();
    const given = await plugin.wrap(command, { cniVersion: '1.1.0', ...fault({ error }) }, {}, argv);
    expect(given.status).toBe(1);
    expect(answered(given)).toMatchObject(error);
    expect(plugin.commands()).toEqual([command]);
    expectLoud(plugin, given.stderr, 'error 11 after the work');
  });

  test.each([
    ['ADD', 137, 'SIGKILL', 'in place of'],
    ['ADD', 139, 'SIGSEGV', 'in place of'],
    ['DEL', 143, 'SIGTERM', 'after'],
    ['DEL', 141, 'SIGPIPE', 'after'],
  ])('%s with exit %d ends by %s, silent on stdout', async (command, exit, signal, when) => {
    using plugin = new FakePlugin();
    const given = await plugin.wrap(command, fault({ exit }), {}, argv);
    expect(given).toMatchObject({ signal, stdout: '' });
    expect(plugin.commands()).toEqual(command === 'DEL' ? ['DEL'] : []);
    expectLoud(plugin, given.stderr, `ended by ${signal} ${when} the work`);
  });

  test('the exit status is any that is asked for, also beside an error', async () => {
    using plugin = new FakePlugin();
    expect(await plugin.wrap('ADD', fault({ exit: 7 }), {}, argv)).toMatchObject({ status: 7, stdout: '' });
    const given = await plugin.wrap('ADD', fault({ exit: 0, error }), {}, argv);
    expect(given.status).toBe(0);
    expect(answered(given)).toMatchObject(error);
  });

  test.each([
    ['malformed', (text: string) => () => expect(text.trim().length).toBeLessThan(whole.length)],
    ['empty', (text: string) => () => expect(text).toBe('')],
    ['twice', (text: string) => () => expect(text).toBe(whole + whole)],
  ])('stdout %s spoils the answer of an ADD that was done', async (stdout, isSpoiled) => {
    using plugin = new FakePlugin();
    const given = await plugin.wrap('ADD', { validate: 'off', ...fault({ stdout }) }, {}, argv);
    expect(given.status).toBe(0);
    expect(() => JSON.parse(given.stdout)).toThrow();
    isSpoiled(given.stdout)();
    expect(plugin.commands()).toEqual(['ADD']);
    expect(plugin.records().at(-1).result).toMatchObject({ ips: result.ips });
  });
});

const whole = `${JSON.stringify(result, null, 4)}\n`;

describe('which calls', () => {
  test('only those of the commands that are named', async () => {
    using plugin = new FakePlugin();
    const keys = { validate: 'off', ...fault({ commands: ['DEL'], error }) };
    expect((await plugin.wrap('ADD', keys)).status).toBe(0);
    expect(plugin.records().at(-1).fault).toBeUndefined();
    expect((await plugin.wrap('DEL', keys)).status).toBe(1);
  });

  test('by probability, the same of the same attachment', async () => {
    using plugin = new FakePlugin();
    const draw = async (seed: number) => {
      const keys = { prevResult, validate: 'off', ...fault({ error, probability: 0.5, seed }) };
      const containers = Array.from({ length: 24 }, (_, index) => `c${index}`);
      const calls = containers.map((id) => plugin.call('ADD', keys, { CNI_CONTAINERID: id }));
      return (await Promise.all(calls)).map(({ status }) => status);
    };
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(new Set(first)).toEqual(new Set([0, 1]));
  });

  test('never with probability 0', async () => {
    using plugin = new FakePlugin();
    const keys = { prevResult, validate: 'off', ...fault({ error, probability: 0 }) };
    expect((await plugin.call('ADD', keys)).status).toBe(0);
  });
});

test('a delay comes before the work, and a signal ends it', async () => {
  using plugin = new FakePlugin();
  const started = performance.now();
  expect((await plugin.wrap('DEL', fault({ delay: '300ms' }))).status).toBe(0);
  expect(performance.now() - started).toBeGreaterThan(300);
  expect(plugin.records().map(({ kind, fault }) => [kind, fault])).toEqual([
    ['begin', 'a delay of 300 ms'],
    ['call', 'a delay of 300 ms'],
  ]);
  const stop = (pid: number) => setTimeout(() => process.kill(pid, 'SIGTERM'), 500);
  const stdin = plugin.configuration({ delegate: { type: 'fake' }, ...fault({ delay: '5m' }) });
  const ended = await run(debug, {
    environment: plugin.environment('ADD'),
    stdin,
    started: stop,
  });
  expect(answered(ended).msg).toContain('ADD was ended by SIGTERM');
  expect(plugin.commands()).toEqual(['DEL']);
});

test('the error of a DEL that fails by itself is not lost', async () => {
  using plugin = new FakePlugin(`echo '{"code": 5, "msg": "disk full"}'; exit 1`);
  const given = await plugin.wrap('DEL', fault({ error }));
  expect(answered(given)).toMatchObject(error);
  expect(answered(given).details).toContain('the work failed by itself: disk full');
});

test.each([
  ['ADD', { fault: { error } }, 'fault: makes calls fail on purpose'],
  ['ADD', { allowFaults: false, fault: { error } }, 'fault: makes calls fail on purpose'],
  ['ADD', { allowFaults: 1, fault: { error } }, 'allowFaults: 1 is not a boolean'],
  ['ADD', fault({}), 'fault: {} does nothing'],
  ['ADD', fault({ commands: ['VERSION'], exit: 1 }), 'fault.commands[0]: "VERSION" is none of'],
  ['ADD', fault({ commands: [], exit: 1 }), 'fault.commands: [] names no command'],
  ['ADD', fault({ delay: '11m' }), 'fault.delay: "11m" is longer than ten minutes'],
  ['ADD', fault({ error: { code: 0 } }), 'fault.error.code: 0 is no code of an error'],
  ['ADD', fault({ error: {} }), 'fault.error.code: is missing'],
  ['ADD', fault({ exit: 147 }), 'fault.exit: 147 is neither an exit status'],
  ['ADD', fault({ exit: 128 }), 'fault.exit: 128 is neither an exit status'],
  ['ADD', fault({ stdout: 'none' }), 'fault.stdout: "none" is none of'],
  ['ADD', fault({ exit: 1, probability: 2 }), 'fault.probability: 2 is no number from 0 to 1'],
  ['ADD', fault({ exit: 1, seed: 1.5 }), 'fault.seed: 1.5 is not an integer'],
  ['ADD', { ...fault({ exit: 3 }), strictLog: 1 }, 'strictLog: 1 is not a boolean'],
])('%s with %j is refused, with the path', async (command, keys, message) => {
  using plugin = new FakePlugin();
  const given = await plugin.wrap(command, keys);
  expect(given.status).toBe(1);
  expect(answered(given)).toMatchObject({ code: 7 });
  expect(answered(given).msg).toContain(message);
  expect(plugin.commands()).toEqual([]);
});

test('a fault that is not allowed does nothing to a DEL, which says so', async () => {
  using plugin = new FakePlugin();
  expect((await plugin.wrap('DEL', { fault: { exit: 137 } })).status).toBe(0);
  const [finding] = plugin.records().at(-1).findings;
  expect(finding).toMatchObject({ rule: 'malformed-key', object: 'fault' });
});
