import { afterEach, beforeEach, expect, test } from 'bun:test';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, prevResult, Scratch } from '../../program.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

const pem = `-----BEGIN RSA PRIVATE KEY-----\n${'hunter2\n'.repeat(40)}-----END RSA PRIVATE KEY-----`;

/** A delegate named `wrapped` that runs these shell commands. */
function wrap(script: string): Record<string, unknown> {
  const path = join(scratch.folder, 'wrapped');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { delegate: { type: 'wrapped' } };
}

const places: [string, () => Promise<Answer>][] = [
  ['the name of the network', () => scratch.call('ADD', { prevResult, name: { password: 'hunter2' } })],
  ['the type', () => scratch.call('ADD', { prevResult, type: { password: 'hunter2' } })],
  ['capabilities', () => scratch.call('ADD', { prevResult, capabilities: { token: 'hunter2' } })],
  ['a malformed prevResult', () => scratch.call('ADD', { prevResult: { ips: { password: 'hunter2' } } })],
  ['a malformed address', () => scratch.call('ADD', { prevResult: { ips: [{ address: 'token=hunter2' }] } })],
  ['the pod', () => scratch.call('ADD', { prevResult }, { CNI_ARGS: 'K8S_POD_NAME=https://u:hunter2@host' })],
  [
    'the container ID',
    () => scratch.call('ADD', { prevResult }, { CNI_CONTAINERID: 'https://u:hunter2@host' }),
  ],
  ['CNI_NETNS', () => scratch.call('ADD', { prevResult }, { CNI_NETNS: '/run/password=hunter2' })],
  [
    'the arguments of a hook',
    () => scratch.call('ADD', { prevResult, strictHooks: true, addHooks: [['false', '--token', 'hunter2']] }),
  ],
  [
    'the environment',
    () =>
      scratch.call(
        'ADD',
        { prevResult },
        { DB_PASSWORD: 'hunter2', HEADER: 'Authorization: Bearer hunter2' },
      ),
  ],
  ["a delegate's stderr, on many lines", () => scratch.call('ADD', wrap(`cat >&2 <<'X'\n${pem}\nX\nexit 1`))],
  [
    "a delegate's stderr, on a long line",
    () => scratch.call('ADD', wrap(`echo "password=${'hunter2'.repeat(2000)}" >&2; exit 1`)),
  ],
  ["a delegate's stdout", () => scratch.call('ADD', wrap(`echo "token=hunter2 {}"`))],
  [
    "a delegate's own error",
    () => scratch.call('ADD', wrap(`echo '{"code":120,"msg":"token=hunter2"}'; exit 1`)),
  ],
];

test.each(places)('a secret in %s is neither in a log nor on stdout', async (_, act) => {
  const { stdout, stderr } = await act();
  const logs = [scratch.log, scratch.journal].map((path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  });
  // A delegate's stderr is passed on as it is: it is the delegate's, not ours.
  const forwarded = stderr.startsWith('cni-debug') ? stderr : '';
  expect([stdout, ...logs, forwarded].join('\n').match(/.{0,40}hunter2/g)).toBeNull();
});

test('the delegate gets the raw value', async () => {
  await scratch.call('ADD', { ...wrap(`cat > ${scratch.folder}/given`), args: { token: 'hunter2' } });
  expect(readFileSync(join(scratch.folder, 'given'), 'utf8')).toContain('"token":"hunter2"');
});
