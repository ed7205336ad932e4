import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { answered, debug, programs } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { isRunning } from '../../runtime/plugin-folder.ts';
import { answer, FakePlugin, result } from './fake-plugin.ts';
import { failures, lastRecord } from './hook-record.ts';

const name = `cni-debug-hooks-${process.pid}`;
const netns = `/run/netns/${name}`;

/** What every call below has; the result speaks of the namespace that is there, and of an interface that is not. */
const prevResult = { cniVersion: '1.0.0', interfaces: [{ name: 'eth0', sandbox: netns }] };

/** A pass-through in the namespace. */
function call(fake: FakePlugin, command: string, keys: Record<string, unknown>, argv = debug) {
  return fake.call(command, { prevResult, validate: 'warn', ...keys }, { CNI_NETNS: netns }, argv);
}

describe.if(requires('root', 'ip'))('in a namespace', () => {
  beforeAll(() => void execFileSync('ip', ['netns', 'add', name]));
  afterAll(() => void execFileSync('ip', ['netns', 'delete', name]));

  describe.each(programs)('%s', (_, argv) => {
    test.each(['ADD', 'CHECK', 'DEL'])(
      'the hooks of %s run inside it, one after the other',
      async (command) => {
        using fake = new FakePlugin();
        const hooks = [
          ['readlink', '/proc/self/ns/net'],
          ['sh', '-c', 'ip -o link; echo first > "$CNI_PATH/order"; echo seen >&2; sleep 0.1'],
          ['sh', '-c', 'cat "$CNI_PATH/order"'],
        ];
        const given = await call(fake, command, { [`${command.toLowerCase()}Hooks`]: hooks }, argv);
        expect(given.status).toBe(0);
        const [begin, { kind, id, hooks: accounts }] = fake.records();
        expect(begin).toMatchObject({ kind: 'begin', id });
        expect(kind).toBe('call');
        const numbers = { duration: expect.any(Number), pid: expect.any(Number), at: expect.any(Number) };
        const account = {
          status: 0,
          stderr: '',
          ...numbers,
          spanID: expect.stringMatching(/^[0-9a-f]{16}$/),
        };
        expect(accounts).toEqual([
          { argv: hooks[0], ...account, stdout: `net:[${statSync(netns).ino}]\n` },
          { argv: hooks[1], ...account, stdout: expect.stringMatching(/^1: lo: .*\n$/), stderr: 'seen\n' },
          { argv: hooks[2], ...account, stdout: 'first\n' },
        ]);
        expect(accounts[1].duration).toBeWithin(99, 10_000);
        expect(failures(fake)).toEqual([]);
      },
    );

    test('a hook that fails, is missing or takes too long is a finding, and the others run', async () => {
      using fake = new FakePlugin();
      const addHooks = [
        ['sh', '-c', 'echo out; echo why >&2; exit 3'],
        ['/nowhere/hook', 'argument'],
        ['sh', '-c', 'sleep 60 & echo $!; wait'],
        ['sh', '-c', 'kill -KILL $$'],
        ['true'],
      ];
      const given = await call(fake, 'ADD', { addHooks, hookTimeout: '300ms' }, argv);
      expect(answered(given)).toEqual(prevResult);
      expect(given).toMatchObject({ status: 0, stderr: '' });
      const { hooks } = lastRecord(fake);
      expect(hooks).toMatchObject([
        {
          argv: addHooks[0],
          status: 3,
          stdout: 'out\n',
          stderr: 'why\n',
          failure: 'exited with status 3; it wrote on stderr "why"',
        },
        { argv: addHooks[1], failure: 'could not be started: ENOENT' },
        { signal: 'SIGTERM', failure: 'did not end within 300ms and was ended with SIGTERM' },
        { signal: 'SIGKILL', failure: 'was ended by SIGKILL' },
        { status: 0 },
      ]);
      expect([hooks[2].pid, Number(hooks[2].stdout)].filter(isRunning)).toEqual([]);
      expect(failures(fake)).toEqual([
        'hook ["sh","-c","echo out; echo why >&2; exit 3"] exited with status 3; it wrote on stderr "why"',
        'hook ["/nowhere/hook","argument"] could not be started: ENOENT',
        'hook ["sh","-c","sleep 60 & echo $!; wait"] did not end within 300ms and was ended with SIGTERM',
        'hook ["sh","-c","kill -KILL $$"] was ended by SIGKILL',
      ]);
    });

    test('with strictHooks it is an error, after all of them have run', async () => {
      using fake = new FakePlugin();
      const addHooks = [['false'], ['/nowhere/hook'], ['touch', `${fake.folder}/last`]];
      const given = await call(fake, 'ADD', { addHooks, strictHooks: true }, argv);
      expect(given.status).toBe(1);
      expect(answered(given)).toEqual({
        ...{ cniVersion: '1.0.0', code: 102 },
        msg: 'hook ["false"] exited with status 1; hook ["/nowhere/hook"] could not be started: ENOENT',
        details: `record ${lastRecord(fake).id} in ${fake.journal}`,
      });
      expect(existsSync(`${fake.folder}/last`)).toBe(true);
      expect(failures(fake)).toHaveLength(2);
    });
  });

  test('a hook has our environment, and nothing on stdin', async () => {
    using fake = new FakePlugin();
    const addHooks = [
      ['cat', '/proc/self/environ'],
      ['wc', '-c'],
    ];
    const variables = { CNI_NETNS: netns, CNI_ARGS: 'K8S_POD_NAME=nginx', LINES: 'a\nb=c' };
    await fake.call('ADD', { prevResult, addHooks }, variables);
    const { hooks, trace } = lastRecord(fake);
    const pairs: string[] = hooks[0].stdout.split('\0').slice(0, -1);
    const environment = { PATH: process.env.PATH ?? '', ...fake.environment('ADD', variables) };
    expect(pairs.sort()).toEqual(
      Object.entries({ ...environment, TRACEPARENT: `00-${trace.traceID}-${hooks[0].spanID}-01` })
        .map(([key, value]) => `${key}=${value}`)
        .sort(),
    );
    expect(hooks[1].stdout).toBe('0\n');
  });

  test('a hook does not take us along: the delegate runs outside, before it on ADD and after it on DEL', async () => {
    using fake = new FakePlugin(
      `readlink /proc/self/ns/net > "$d/namespace"; touch "$d/ran"; ${answer(result)}`,
    );
    const hook = [['sh', '-c', 'ls "$CNI_PATH"; rm -f "$CNI_PATH/ran"']];
    const keys = { delegate: { type: 'fake' }, addHooks: hook, delHooks: hook };
    await call(fake, 'ADD', keys);
    expect(lastRecord(fake).hooks[0].stdout).toContain('ran\n');
    await call(fake, 'DEL', keys);
    expect(lastRecord(fake).hooks[0].stdout).not.toContain('ran\n');
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
    expect(fake.text('namespace')).toBe(`net:[${statSync('/proc/self/ns/net').ino}]\n`);
    expect(lastRecord(fake).delegates[0]).toMatchObject({ command: 'DEL', status: 0 });
  });

  test('only the hooks of the command run', async () => {
    using fake = new FakePlugin();
    const hooks = (command: string) => [['touch', `${fake.folder}/${command}`]];
    const keys = { cniVersion: '1.1.0', prevResult: { ...prevResult, cniVersion: '1.1.0' } };
    const all = { ...keys, addHooks: hooks('add'), checkHooks: hooks('check'), delHooks: hooks('del') };
    await call(fake, 'CHECK', all);
    await call(fake, 'GC', all);
    await call(fake, 'STATUS', all);
    expect(['add', 'check', 'del'].filter((command) => existsSync(`${fake.folder}/${command}`))).toEqual([
      'check',
    ]);
  });

  test('CHECK names what its hook says besides what differs in the namespace', async () => {
    using fake = new FakePlugin();
    const keys = { validate: 'error', checkHooks: [['false']], strictHooks: true };
    const given = await call(fake, 'CHECK', keys);
    expect(answered(given).code).toBe(100);
    expect(answered(given).msg).toContain('eth0');
    expect(answered(given).details).toContain('hook ["false"] exited with status 1');
  });

  test('CHECK fails for a strict hook alone', async () => {
    using fake = new FakePlugin();
    const given = await call(fake, 'CHECK', { checkHooks: [['false']], strictHooks: true });
    expect(answered(given)).toMatchObject({ code: 102, msg: 'hook ["false"] exited with status 1' });
  });

  test('a strict hook that fails on DEL does not keep the delegate from its DEL', async () => {
    using fake = new FakePlugin();
    const keys = { delegate: { type: 'fake' }, delHooks: [['false']], strictHooks: true };
    const given = await call(fake, 'DEL', keys);
    expect(answered(given)).toMatchObject({ code: 102, msg: 'hook ["false"] exited with status 1' });
    expect(fake.commands()).toEqual(['DEL']);
  });

  test('what looks like a secret is in no log: not in output, not in arguments', async () => {
    using fake = new FakePlugin();
    const addHooks = [
      ['sh', '-c', 'echo password: hunter2; echo "{\\"token\\":\\"hunter2\\"}" >&2; exit 1'],
      ['false', '--password=hunter2'],
      ['false', '--token', 'hunter2'],
      ['/nowhere/curl', '-H', 'Authorization: Bearer hunter2'],
    ];
    await call(fake, 'ADD', { addHooks });
    const written = fake.text('journal.ndjson') + fake.text('cni_output.log');
    expect(written.match(/.{0,60}hunter2/g)).toBeNull();
    expect(lastRecord(fake).hooks[0]).toMatchObject({ status: 1, stdout: 'password: [redacted]\n' });
    expect(failures(fake)).toHaveLength(4);
  });

  test('a hook of a pass-through whose ADD fails is not run', async () => {
    using fake = new FakePlugin();
    const given = await call(fake, 'ADD', {
      prevResult: undefined,
      addHooks: [['touch', `${fake.folder}/ran`]],
    });
    expect(answered(given).code).toBe(7);
    expect(existsSync(`${fake.folder}/ran`)).toBe(false);
  });

  test('kill -9 during a hook leaves a record of the beginning', async () => {
    using fake = new FakePlugin();
    const addHooks = [['sh', '-c', 'echo $$ > "$CNI_PATH/self"; kill -9 $PPID; exec sleep 60']];
    expect((await call(fake, 'ADD', { addHooks })).signal).toBe('SIGKILL');
    process.kill(fake.number('self'), 'SIGKILL');
    expect(fake.records()).toMatchObject([{ kind: 'begin', configuration: { addHooks } }]);
  });

  test('SIGTERM during a hook ends it, and those after it are not run', async () => {
    using fake = new FakePlugin();
    const hook = 'echo $$ > "$CNI_PATH/self"; kill -TERM $PPID; sleep 60 & wait';
    const addHooks = [
      ['sh', '-c', hook],
      ['touch', `${fake.folder}/ran`],
    ];
    const given = await call(fake, 'ADD', { addHooks });
    expect(given).toMatchObject({ status: 1, signal: null });
    expect(answered(given)).toEqual({
      ...{ cniVersion: '1.0.0', code: 999, msg: 'ADD was ended by SIGTERM' },
      details: `record ${lastRecord(fake).id} in ${fake.journal}`,
    });
    expect(isRunning(fake.number('self'))).toBe(false);
    expect(lastRecord(fake).hooks).toMatchObject([{ signal: 'SIGTERM', argv: addHooks[0] }]);
    expect(existsSync(`${fake.folder}/ran`)).toBe(false);
  });

  test('SIGTERM during a hook of DEL is said once, and the delegate is not started any more', async () => {
    using fake = new FakePlugin();
    const delHooks = [['sh', '-c', 'kill -TERM $PPID; exec sleep 60']];
    const given = await call(fake, 'DEL', { delHooks, delegate: { type: 'fake' } });
    expect(answered(given)).toEqual({
      ...{ cniVersion: '1.0.0', code: 999, msg: 'DEL was ended by SIGTERM' },
      details: `record ${lastRecord(fake).id} in ${fake.journal}`,
    });
    expect(fake.commands()).toEqual([]);
    expect(lastRecord(fake).delegates).toMatchObject([
      { command: 'DEL', failure: expect.stringContaining('the call itself was ended first') },
    ]);
  });

  test('a hook that leaves something running does not delay the call for long', async () => {
    using fake = new FakePlugin();
    const addHooks = [['sh', '-c', 'sleep 60 & echo $! > "$CNI_PATH/child"']];
    const startedAt = performance.now();
    expect((await call(fake, 'ADD', { addHooks })).status).toBe(0);
    process.kill(fake.number('child'), 'SIGKILL');
    expect(performance.now() - startedAt).toBeWithin(900, 15_000);
    expect(lastRecord(fake).hooks).toMatchObject([{ status: 0 }]);
  });
});
