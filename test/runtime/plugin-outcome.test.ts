import { describe, expect, test } from 'bun:test';
import { stringifyJson } from '../../src/cni/json.ts';
import { judge, type PluginRun, pluginFailure } from '../../src/runtime/plugin-outcome.ts';

const bridge: PluginRun = {
  type: 'bridge',
  path: '/opt/cni/bin/bridge',
  command: 'ADD',
  timeoutMs: 60_000,
  status: 0,
  stdout: '',
  stdoutCut: false,
  stderr: '',
};
const { status: _, ...unfinished } = bridge;
const name = 'plugin "bridge" (/opt/cni/bin/bridge)';
const onlyJson = 'stdout is for the one JSON value of the answer, logs belong on stderr';

/** `code: message`, and the details if there are any; or the result. */
function told(run: PluginRun): string {
  const outcome = judge(run);
  if (outcome.ok) return outcome.result === undefined ? 'ok' : stringifyJson(outcome.result);
  const { code, message, details } = outcome.error;
  return `${code}: ${message}${details === '' ? '' : ` | ${details}`}`;
}

describe('without an exit status', () => {
  const cases: [Partial<PluginRun>, string][] = [
    [
      { failedToStart: 'ENOENT, its interpreter /x is missing' },
      'could not be started for ADD: ENOENT, its interpreter /x is missing',
    ],
    [{ signal: 'SIGSEGV' }, 'was killed by SIGSEGV during ADD'],
    [
      { signal: 'SIGKILL', command: 'DEL' },
      'was killed by SIGKILL during DEL; if nobody did, it was the kernel for lack of memory: see dmesg',
    ],
    [
      { signal: 'SIGTERM', ended: { because: 'timeout', with: 'SIGTERM' } },
      'did not answer ADD within 60s and was ended with SIGTERM',
    ],
    [
      {
        signal: 'SIGKILL',
        ended: { because: 'timeout', with: 'SIGKILL' },
        timeoutMs: 1500,
        stderr: 'wait\n',
      },
      'did not answer ADD within 1500ms and was ended with SIGKILL; it wrote on stderr "wait"',
    ],
    [
      { ended: { because: 'timeout', with: 'SIGKILL' }, pid: 7 },
      'did not answer ADD within 60s and was ended with SIGKILL; process 7 outlives even that: it hangs in the kernel, see /proc/7/stack',
    ],
    [
      { status: 0, stdout: '{}', ended: { because: 'abort', with: 'SIGTERM' } },
      'was ended with SIGTERM before it answered ADD, since the call itself was ended',
    ],
  ];
  test.each(cases)('%j', (run, message) => {
    expect(told({ ...unfinished, ...run })).toBe(`${pluginFailure}: ${name} ${message}`);
  });
});

describe('exit status other than 0', () => {
  test('its own error is kept as it is', () => {
    const stdout = '{"cniVersion":"1.1.0","code":7,"msg":"missing subnet","details":"in ipam"}';
    expect(told({ ...bridge, status: 1, stdout, stderr: 'log' })).toBe('7: missing subnet | in ipam');
    expect(told({ ...bridge, status: 1, stdout: '{"Code":100,"MSG":"own"}' })).toBe('100: own');
    expect(told({ ...bridge, status: 1, stdout: '{"msg":"no code"}' })).toBe(`${pluginFailure}: no code`);
    expect(told({ ...bridge, status: 1, stdout: '{"code":11,"msg":""}' })).toBe(
      `11: ${name} exited with status 1 on ADD with an error without "msg"`,
    );
  });

  const cases: [Partial<PluginRun>, string][] = [
    [
      { status: 2, stderr: 'panic: boom\n' },
      'exited with status 2 on ADD and printed no error; it wrote on stderr "panic: boom"',
    ],
    [
      { status: 127 },
      'exited with status 127 on ADD and printed no error; the shell gives this status when a command is not found',
    ],
    [
      { status: 1, stdout: '{"cniVersion":"1.0.0","ips":[]}' },
      `exited with status 1 on ADD and printed JSON that is no error: ${JSON.stringify('{"cniVersion":"1.0.0","ips":[]}')}`,
    ],
    [
      { status: 1, stdout: '{"ips":[]}\n{"code":5,"msg":"late"}\n' },
      `exited with status 1 on ADD and printed two JSON values, the second is ${JSON.stringify('{"code":5,"msg":"late"}')}; ${onlyJson}`,
    ],
    [
      { status: 1, stdout: 'Killed' },
      `exited with status 1 on ADD and printed what is not JSON (unexpected "K" at line 1, column 1): "Killed"; ${onlyJson}`,
    ],
  ];
  test.each(cases)('%j', (run, message) => {
    expect(told({ ...bridge, ...run })).toBe(`${pluginFailure}: ${name} ${message}`);
  });
});

describe('exit status 0', () => {
  test('a result', () => {
    expect(told({ ...bridge, stdout: ' {"cniVersion":"1.0.0","x":1.0}\n' })).toBe(
      '{"cniVersion":"1.0.0","x":1.0}',
    );
    expect(
      told({ ...bridge, stdout: '{"cniVersion":"1.0.0","msg":"unknown keys are none of ours"}' }),
    ).toStartWith('{');
  });

  test.each(['DEL', 'CHECK', 'GC', 'STATUS'] as const)('what %s prints does not matter', (command) => {
    expect(told({ ...bridge, command, stdout: 'no JSON' })).toBe('ok');
  });

  const cases: [string, string][] = [
    ['', 'but printed no result; one that changes nothing must print prevResult'],
    [' \n', 'but printed no result; one that changes nothing must print prevResult'],
    ['{"code":7,"msg":"bad"}', 'but printed an error: "bad" (code 7)'],
    [
      '{"a":1}{"b":2}',
      `and printed two JSON values, the second is ${JSON.stringify('{"b":2}')}; ${onlyJson}`,
    ],
    ['starting {x}\n{"a":1}', `and printed something before its JSON: "starting {x}"; ${onlyJson}`],
    ['2026-01-01 up\n{"a":1}', `and printed something before its JSON: "2026-01-01 up"; ${onlyJson}`],
    ['\ufeff{"a":1}', `and printed something before its JSON: "\\ufeff"; ${onlyJson}`],
    ['{"a":1}\ndone', `and printed something after its JSON: "done"; ${onlyJson}`],
    [
      '{"a":{"b":1}',
      `and printed what is not JSON (expected "," or "}" but found the end of the input at line 1, column 13): ${JSON.stringify('{"a":{"b":1}')}; ${onlyJson}`,
    ],
    ['[1]', `and printed JSON that is no object: "[1]"; ${onlyJson}`],
    ['null', `and printed JSON that is no object: "null"; ${onlyJson}`],
    [
      '\u0000\ufffd',
      `and printed what is not JSON (unexpected "\\u0000" at line 1, column 1): "\\u0000\ufffd"; ${onlyJson}`,
    ],
  ];
  test.each(cases)('%j', (stdout, message) => {
    expect(told({ ...bridge, stdout })).toBe(
      `${pluginFailure}: ${name} exited with status 0 on ADD ${message}`,
    );
  });

  test('more than is read', () => {
    expect(told({ ...bridge, stdout: '{', stdoutCut: true })).toContain('more on stdout than the 16 MiB');
  });
});

test('of a long stderr both ends are quoted', () => {
  const stderr = `panic: boom\n${'goroutine\n'.repeat(50)}${'x'.repeat(500)}\nexit status 2\n`;
  const message = told({ ...bridge, status: 2, stderr });
  expect(message).toContain('"panic: boom\\ngoroutine\\ngoroutine\\n…\\ngoroutine\\nxxx');
  expect(message).toEndWith('x…\\nexit status 2"');
  expect(message.length).toBeLessThan(500);
});
