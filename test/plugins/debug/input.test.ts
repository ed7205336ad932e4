import { afterAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Answer,
  answered,
  DefaultLogs,
  debug,
  prevResult,
  programs,
  type Run,
  run,
  Scratch,
} from '../../program.ts';
import { requires } from '../../requirements.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const root = requires('root');

/** A call that fails; its error stands in both of the logs that are the default, once. */
async function recordedByDefault(argv: string[], options: Run): Promise<Answer> {
  using defaults = new DefaultLogs();
  const answer = await run(defaults.command(argv), options);
  const { code, msg } = answered(answer);
  expect(answer.stderr).toBe('');
  expect(defaults.records()).toEqual([
    expect.objectContaining({ kind: 'call', error: expect.objectContaining({ code, msg }) }),
  ]);
  const errors = readFileSync(defaults.log, 'latin1').match(/^Error: code \d+: /gm);
  expect(errors).toEqual([`Error: code ${code}: `]);
  return answer;
}

/**
 * A call that fails in any case waits only a moment for its configuration. So it is there before the call is; and where
 * the moment is over all the same, on a busy machine, at least the machine's own logs are not written.
 */
async function runWithBadEnvironment(argv: string[], environment: Record<string, string>): Promise<Answer> {
  const file = join(scratch.folder, 'stdin');
  writeFileSync(file, scratch.configuration({ prevResult }));
  using defaults = new DefaultLogs();
  const command = root ? defaults.command(argv) : argv;
  return await run(['sh', '-c', 'exec "$@" < "$0"', file, ...command], { environment });
}

const commands = ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'];

describe.each(programs)('%s', (_, argv) => {
  test('VERSION lists every version of the specification, without waiting for stdin', async () => {
    const answer = await run(argv, { environment: { CNI_COMMAND: 'VERSION' }, stdin: 'open' });
    expect(answered(answer)).toEqual({
      cniVersion: '1.1.0',
      supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
    });
    expect(answer.status).toBe(0);
  });

  test.each(commands)('%s without any other variable', async (command) => {
    const answer = await runWithBadEnvironment(argv, { CNI_COMMAND: command });
    const missing = {
      ADD: 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME',
      CHECK: 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME',
      DEL: 'CNI_CONTAINERID,CNI_IFNAME',
      GC: 'CNI_PATH',
    }[command];
    if (missing !== undefined) {
      expect(answered(answer)).toMatchObject({ code: 4, msg: `required env variables [${missing}] missing` });
    } else {
      // STATUS needs none, and its configuration is of a version that does not have it.
      expect(answered(answer)).toMatchObject({ code: 1, msg: 'config version does not allow STATUS' });
    }
    expect(answer.status).toBe(1);
  });

  test.each([
    ['CNI_COMMAND', 'add', 'unknown CNI_COMMAND: add'],
    ['CNI_CONTAINERID', 'a/b', 'CNI_CONTAINERID: "a/b" must begin with a letter or digit'],
    ['CNI_IFNAME', 'a-very-long-name', 'CNI_IFNAME: "a-very-long-name" is longer than 15 bytes'],
  ])('%s=%s', async (name, value, message) => {
    const environment = { ...scratch.environment('ADD'), [name]: value };
    const answer = await runWithBadEnvironment(argv, environment);
    expect(answered(answer)).toMatchObject({ cniVersion: '1.0.0', code: 4 });
    expect(answered(answer).msg).toContain(message);
    expect(answer.status).toBe(1);
  });

  describe.if(root)('with no log named, and so recorded in the default places', () => {
    test('a bad environment does not wait for stdin', async () => {
      const answer = await recordedByDefault(argv, { environment: { CNI_COMMAND: 'ADD' }, stdin: 'open' });
      expect(answered(answer).code).toBe(4);
    });

    test.each([
      ['nothing', '', 6, 'stdin is empty'],
      ['half a document', '{"cniVersion":', 6, 'is not JSON'],
      [
        'binary',
        Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7) % 256)),
        6,
        'is not JSON',
      ],
      ['a list', '[]', 6, 'is not a JSON object'],
      ['17 MiB', Buffer.alloc(17 << 20, ' '), 6, 'stdin is longer than 16777216 bytes (16 MiB)'],
      ['two documents', '{}{}', 6, 'more after the JSON value'],
      ['no name', '{"cniVersion":"1.0.0"}', 7, 'missing network name'],
      ['an unsupported version', '{"cniVersion":"2.0.0","name":"n"}', 1, 'incompatible CNI versions'],
    ])('stdin with %s', async (_, stdin, code, message) => {
      const answer = await recordedByDefault(argv, { environment: scratch.environment('ADD'), stdin });
      expect(answered(answer).code).toBe(code);
      expect(answered(answer).msg).toContain(message);
      expect(answer.status).toBe(1);
    });
  });

  test('an address that is none is named with its path', async () => {
    const ips = [{ address: '10.1.0.300/24' }];
    const answer = await scratch.call('ADD', { prevResult: { cniVersion: '1.0.0', ips } }, {}, argv);
    expect(answered(answer)).toEqual({
      cniVersion: '1.0.0',
      code: 7,
      msg: 'prevResult.ips[0].address: "10.1.0.300/24" is not a CIDR address',
    });
  });

  test('a prevResult of another version', async () => {
    const answer = await scratch.call(
      'ADD',
      { prevResult: { ...prevResult, cniVersion: '0.4.0' } },
      {},
      argv,
    );
    expect(answered(answer).code).toBe(7);
    expect(answered(answer).msg).toContain('prevResult.cniVersion: "0.4.0" is another version than "1.0.0"');
  });

  test('a stdout that nobody reads any more ends with status 1 and a line on stderr', async () => {
    const stdin = scratch.configuration({ prevResult });
    const command = ['bash', '-c', 'exec 3> >(:); wait $!; "$@" >&3; echo "status $?" >&2', 'bash', ...argv];
    const answer = await run(command, { environment: scratch.environment('ADD'), stdin });
    expect(answer.stderr).toContain('stdout could not be written: EPIPE');
    expect(answer.stderr).toContain('status 1');
  });

  test('a full stdout, too', async () => {
    const stdin = scratch.configuration({ prevResult });
    const command = ['bash', '-c', '"$@" > /dev/full', 'bash', ...argv];
    const answer = await run(command, { environment: scratch.environment('ADD'), stdin });
    expect(answer.stderr).toContain('stdout could not be written: ENOSPC');
    expect(answer.status).toBe(1);
  });
});

test('without CNI_COMMAND it says on stderr what it is', async () => {
  const answer = await run(debug);
  expect(answer).toMatchObject({ status: 0, stdout: '' });
  expect(answer.stderr).toMatch(
    /^CNI plugin debug \(cni-debug \d+\.\d+\.\d+\)\nCNI protocol versions supported: 0\.1\.0, /,
  );
});

test('under a name that it does not know it is debug', async () => {
  const answer = await run(['bash', '-c', `exec -a educative ${debug[0]}`]);
  expect(answer.stderr).toContain('CNI plugin debug');
});

test('an environment with nothing in it', async () => {
  const answer = await run(['env', '-i', ...debug]);
  expect(answer).toMatchObject({ status: 0, stdout: '' });
});

test('keys are found in any spelling, and the last of two spellings wins', async () => {
  const keys = {
    PREVRESULT: { ...prevResult, dns: { domain: 'first' } },
    PrevResult: { ...prevResult, IPS: [] },
  };
  const answer = await scratch.call('ADD', keys);
  expect(answered(answer)).toMatchObject({ interfaces: prevResult.interfaces, ips: [] });
  expect(answered(answer).dns).toBeUndefined();
});

test('also where nothing is validated', async () => {
  const { ips, ...rest } = prevResult;
  const answer = await scratch.call('ADD', { prevResult: { ...rest, IPs: ips }, validate: 'off' });
  expect(answered(answer)).toEqual(prevResult);
});

test('unknown keys, __proto__ and integers beyond 2^53 survive the pass-through', async () => {
  const text = scratch
    .configuration({ prevResult: { ...prevResult, marker: 0 } })
    .replace('"marker":0', '"vendor":{"__proto__":{"a":1},"big":9007199254740993,"list":[null,1.0]}');
  const answer = await run(debug, { environment: scratch.environment('ADD'), stdin: text });
  const compact = answer.stdout.replace(/\s/g, '');
  expect(compact).toContain('"vendor":{"__proto__":{"a":1},"big":9007199254740993,"list":[null,1.0]}');
});

test.each(['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])(
  'ADD at %s answers in that version',
  async (cniVersion) => {
    const answer = await scratch.call('ADD', { cniVersion, prevResult: { ...prevResult, cniVersion } });
    expect(answered(answer)).toMatchObject({ cniVersion, ips: prevResult.ips, routes: prevResult.routes });
  },
);

test.each(['0.1.0', '0.2.0'])('ADD at %s answers in that version', async (cniVersion) => {
  const ip4 = { ip: '10.22.0.5/16', gateway: '10.22.0.1', routes: [{ dst: '0.0.0.0/0' }] };
  const answer = await scratch.call('ADD', { cniVersion, prevResult: { ip4 } });
  expect(answered(answer)).toEqual({ cniVersion, ip4, dns: {} });
});

test('ADD without prevResult says where in the chain the plugin belongs', async () => {
  const answer = await scratch.call('ADD');
  expect(answered(answer).code).toBe(7);
  expect(answered(answer).msg).toContain(
    'in the list of network "net" it belongs behind a plugin that makes the interface',
  );
});

test('DEL, GC and STATUS succeed and print nothing when nothing is wrong', async () => {
  for (const command of ['DEL', 'GC', 'STATUS']) {
    const answer = await scratch.call(command, { cniVersion: '1.1.0' }, { CNI_NETNS: '' });
    expect(answer).toMatchObject({ status: 0, stdout: '', stderr: '' });
  }
});

test.if(root)('every malformed key of ours is named with its path, all at once', async () => {
  // A malformed key counts as absent: the default journal is written.
  using defaults = new DefaultLogs();
  const keys = {
    cniOutput: false,
    textLayout: 'other',
    journal: { maxFiles: 0, maxSize: '1XB' },
    redact: ['('],
    addHooks: [[]],
    hookTimeout: '5',
    strictLog: 1,
    linkNetns: 'yes',
    delegate: { capabilities: { a: 1 } },
    prevResult,
  };
  const answer = await defaults.call('ADD', keys, {}, defaults.command(debug));
  expect(answered(answer).code).toBe(7);
  expect(defaults.records()).toEqual([
    expect.objectContaining({ kind: 'call', error: expect.objectContaining({ code: 7 }) }),
  ]);
  for (const part of [
    'textLayout: "other" is none of "debug", "upstream"',
    'journal.maxSize: "1XB" is not a size such as "16MB"',
    'journal.maxFiles: 0 is less than 1',
    'redact[0]: "(" is not a regular expression',
    'addHooks[0]: [] names no command',
    'hookTimeout: "5" is not a duration such as "500ms" or "10s"',
    'strictLog: 1 is not a boolean',
    'linkNetns: "yes" is not a boolean',
    'delegate.type: is missing',
    'delegate.capabilities: {"a":1} is not a map of capabilities to true or false',
  ]) {
    expect(answered(answer).msg).toContain(part);
  }
});

test('a malformed key does not keep DEL and GC from removing: it is a finding', async () => {
  const answer = await scratch.call('DEL', { validate: 'maybe', prevResult: { ips: 5 } });
  expect(answer).toMatchObject({ status: 0, stdout: '' });
  const rules = scratch
    .records()
    .at(-1)
    .findings.map(({ rule }: { rule: string }) => rule);
  expect(rules).toEqual(['malformed-key', 'malformed-result']);
});
