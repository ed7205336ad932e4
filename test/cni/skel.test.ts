import { describe, expect, test } from 'bun:test';
import { CniError } from '../../src/cni/error.ts';
import { type JsonObject, newObject } from '../../src/cni/json.ts';
import type { Io, Outcome, Plugin, Request } from '../../src/cni/plugin.ts';
import { run } from '../../src/cni/skel.ts';

/** A world in memory: what a plugin is given, and what it wrote. */
class World implements Io {
  stdout = '';
  stderr = '';
  end: (name: string) => void = () => {};
  readonly environment: Record<string, string>;
  readonly clock = { now: () => new Date(0), monotonic: () => 0 };

  constructor(
    command: string,
    private readonly stdin: string | (() => Promise<Buffer>) = '{"cniVersion":"1.1.0","name":"net"}',
  ) {
    const names = {
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/c1',
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/opt/cni/bin',
    };
    this.environment = { CNI_COMMAND: command, ...names };
  }

  readStdin = (_: number, signal: AbortSignal): Promise<Buffer> => {
    const { stdin } = this;
    if (typeof stdin === 'string') return Promise.resolve(Buffer.from(stdin));
    const ended = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    );
    return Promise.race([stdin(), ended]);
  };
  writeStdout = (text: string): void => {
    this.stdout += text;
  };
  writeStderr = (text: string): void => {
    this.stderr += text;
  };
  onSignal = (end: (name: string) => void): void => {
    this.end = end;
  };

  raised: number[] = [];
  raise = async (signal: number): Promise<void> => {
    this.raised.push(signal);
  };

  run(plugin: Partial<Plugin>): Promise<number> {
    return run('about', async () => ({ add: () => newObject(), ...plugin }), this);
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test reads the answer as a runtime does.
  get answer(): any {
    return JSON.parse(this.stdout);
  }
}

describe('run', () => {
  test('loads no plugin for VERSION, nor without a command', async () => {
    for (const command of ['VERSION', '']) {
      const world = new World(command);
      const load = () => Promise.reject(new Error('was loaded'));
      expect(await run('about', load, world)).toBe(0);
    }
  });

  test('calls the operation of the command, and prints what ADD returns', async () => {
    const calls: string[] = [];
    const operation = (name: string) => () => void calls.push(name);
    for (const command of ['CHECK', 'DEL', 'GC', 'STATUS']) {
      const world = new World(command);
      const status = await world.run({
        check: operation('CHECK'),
        del: operation('DEL'),
        gc: operation('GC'),
        status: operation('STATUS'),
      });
      expect([status, world.stdout]).toEqual([0, '']);
    }
    expect(calls).toEqual(['CHECK', 'DEL', 'GC', 'STATUS']);
    const world = new World('ADD');
    expect(await world.run({ add: ({ ifName }) => newObject([['unknown', ifName]]) })).toBe(0);
    expect(world.answer).toEqual({ cniVersion: '1.1.0', unknown: 'eth0' });
  });

  test("converts ADD's result to the configuration's version", async () => {
    const world = new World('ADD', '{"cniVersion":"0.2.0","name":"net"}');
    const ips = [newObject([['address', '10.0.0.2/24']])];
    const result: JsonObject = newObject([
      ['cniVersion', '1.1.0'],
      ['ips', ips],
    ]);
    expect(await world.run({ add: () => result })).toBe(0);
    expect(world.answer).toEqual({ cniVersion: '0.2.0', ip4: { ip: '10.0.0.2/24' }, dns: {} });
  });

  test('a command without an operation succeeds', async () => {
    expect(await new World('DEL').run({})).toBe(0);
  });

  test.each([
    ['a CniError', new CniError(11, 'later', { details: 'why' }), { code: 11, msg: 'later', details: 'why' }],
    ['an Error', new Error('broken'), { code: 999, msg: 'broken' }],
    ['a string', 'a string', { code: 999, msg: 'a string' }],
    ['undefined', undefined, { code: 999, msg: 'undefined' }],
  ])('what an operation throws is the one answer: %s', async (_, thrown, answer) => {
    for (const add of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ]) {
      const world = new World('ADD');
      expect(await world.run({ add })).toBe(1);
      expect(world.answer).toEqual({ cniVersion: '1.1.0', ...answer });
    }
  });

  test('a plugin that cannot be loaded is an answer, too', async () => {
    const world = new World('ADD');
    expect(await run('about', () => Promise.reject(new Error('no such file')), world)).toBe(1);
    expect(world.answer).toMatchObject({ code: 999, msg: 'no such file' });
  });

  test('stdin that cannot be read is code 5', async () => {
    const world = new World('ADD', () => Promise.reject(new Error('EISDIR')));
    expect(await world.run({})).toBe(1);
    expect(world.answer).toMatchObject({ code: 5, msg: 'stdin could not be read: EISDIR' });
  });

  test('a signal while stdin is awaited ends the call', async () => {
    const world = new World('ADD', () => new Promise(() => {}));
    const running = world.run({});
    await new Promise((resolve) => setTimeout(resolve, 10));
    world.end('SIGTERM');
    expect(await running).toBe(1);
    expect(world.answer).toMatchObject({ code: 999, msg: 'ADD was ended by SIGTERM' });
  });

  test('a signal reaches the operation', async () => {
    const world = new World('ADD');
    const status = await world.run({
      add: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          world.end('SIGINT');
        }),
    });
    expect(status).toBe(1);
    expect(world.answer.msg).toBe('ADD was ended by SIGINT');
  });

  test('a stdout that cannot be written is status 1 and a line on stderr', async () => {
    const world = new World('ADD');
    world.writeStdout = () => {
      throw new Error('EPIPE');
    };
    expect(await world.run({})).toBe(1);
    expect(world.stderr).toBe('stdout could not be written: EPIPE\n');
  });

  test('the observer sees what was refused before the plugin was asked', async () => {
    const seen: [Request, Outcome][] = [];
    const observe: Plugin['observe'] = async (request, answer) => {
      const outcome = await answer();
      seen.push([request, outcome]);
      return outcome;
    };
    for (const world of [new World('ADD', 'junk'), new World('add')])
      expect(await world.run({ observe })).toBe(1);
    expect(seen.map(([{ stdin, document }]) => [stdin.toString(), document?.name])).toEqual([
      ['junk', undefined],
      ['{"cniVersion":"1.1.0","name":"net"}', 'net'],
    ]);
    expect(seen.map(([, outcome]) => 'error' in outcome && outcome.error.code)).toEqual([6, 4]);
  });
});
