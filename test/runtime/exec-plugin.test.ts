import { expect, test } from 'bun:test';
import { closeSync, openSync } from 'node:fs';
import { parseJson } from '../../src/cni/json.ts';
import { execPlugin, type PluginRequest } from '../../src/runtime/exec-plugin.ts';
import { pluginFailure } from '../../src/runtime/plugin-outcome.ts';
import { PluginFolder } from './plugin-folder.ts';

const defaults = {
  type: 'fake',
  command: 'ADD',
  environment: { PATH: process.env.PATH, CNI_COMMAND: 'DEL', CNI_IFNAME: 'eth0' },
  configuration: '{"name":"net"}',
  timeoutMs: 20_000,
} as const satisfies Partial<PluginRequest>;

/** Runs what `write` made in a folder of its own. */
async function exec(write: (folder: PluginFolder) => string, request: Partial<PluginRequest> = {}) {
  using folder = new PluginFolder();
  return await execPlugin({ ...defaults, path: write(folder), ...request });
}

function script(body: string, request: Partial<PluginRequest> = {}) {
  return exec((folder) => folder.script('fake', body), request);
}

async function messageOf(call: ReturnType<typeof exec>): Promise<string> {
  const { outcome, path } = await call;
  if (outcome.ok) return 'ok';
  expect(outcome.error.code).toBe(pluginFailure);
  return outcome.error.message.replace(`plugin "fake" (${path}) `, '').replaceAll(path, '<path>');
}

test('the account of a call', async () => {
  const call = await script('cat; echo "$CNI_COMMAND $CNI_IFNAME" >&2');
  expect(call).toMatchObject({
    type: 'fake',
    command: 'ADD',
    argv: [call.path],
    stdin: '{"name":"net"}',
    stdout: '{"name":"net"}',
    stderr: 'ADD eth0\n',
    status: 0,
    environment: { CNI_COMMAND: 'ADD', CNI_IFNAME: 'eth0' },
    outcome: { ok: true },
  });
  expect(call.pid).toBeGreaterThan(1);
  expect(call.durationMs).toBeGreaterThan(0);
});

test('a configuration is written as it was read', async () => {
  const text = '{"name":"net","number":9007199254740993,"__proto__":{"a":1.0}}';
  const call = await script('cat', { configuration: parseJson(text) as never });
  expect(call.stdout).toBe(text);
});

test('a plugin that fails says so itself', async () => {
  const call = await script(`echo '{"code":11,"msg":"later","details":"locked"}'; exit 1`);
  expect(call.outcome).toMatchObject({ ok: false, error: { code: 11, message: 'later', details: 'locked' } });
});

test('killed, timed out, ended', async () => {
  expect(await messageOf(script('echo bad >&2; kill -ABRT $$'))).toBe(
    'was killed by SIGABRT during ADD; it wrote on stderr "bad"',
  );
  expect(await messageOf(script('sleep 30', { timeoutMs: 300 }))).toBe(
    'did not answer ADD within 300ms and was ended with SIGTERM',
  );
  expect(await messageOf(script('exit 0', { signal: AbortSignal.abort() }))).toBe(
    'could not be started for ADD: the call itself was ended first',
  );
});

test('stdout that is no UTF-8', async () => {
  expect(await messageOf(script(`printf '\\377\\376'`))).toContain('printed what is not JSON');
  const call = await script(`printf '{"a":"\\377"}'`);
  expect(call.outcome).toEqual({ ok: true, result: parseJson('{"a":"\ufffd"}') as never });
});

const foreign = Buffer.alloc(64);
foreign.write('7f454c46020101', 0, 'hex');
foreign.writeUInt16LE(2, 16);
foreign.writeUInt16LE(process.arch === 's390x' ? 62 : 22, 18);

test.each([
  ['#!/nowhere/bash\n', 'ENOENT, its interpreter /nowhere/bash is missing'],
  ['#!/bin/sh\r\nexit 0\r\n', 'ENOENT, its first line ends in a carriage return: it needs Unix line ends'],
  ['exit 0\n', 'ENOEXEC, the file has no "#!" line and is no ELF executable'],
  ['', 'ENOEXEC, the file is empty'],
  [foreign, /^ENOEXEC, the file is for s390x and this machine is \w+$/],
])('a file that the kernel refuses: %j', async (content, cause) => {
  const message = await messageOf(exec((folder) => folder.file('fake', content)));
  const told = message.replace('could not be started for ADD: ', '');
  if (typeof cause === 'string') expect(told).toBe(cause);
  else expect(told).toMatch(cause);
});

test('a file that is being written is tried again', async () => {
  using folder = new PluginFolder();
  const path = folder.script('fake', 'cat');
  const file = openSync(path, 'r+');
  setTimeout(() => closeSync(file), 300);
  const call = await execPlugin({ ...defaults, path });
  expect(call.outcome.ok).toBe(true);
  expect(call.durationMs).toBeGreaterThan(250);
});

test('a file that is written for ever is given up', async () => {
  using folder = new PluginFolder();
  const path = folder.script('fake', 'cat');
  const file = openSync(path, 'r+');
  const message = await messageOf(execPlugin({ ...defaults, path }));
  closeSync(file);
  expect(message).toBe('could not be started for ADD: ETXTBSY, the file is still open for writing');
}, 10_000);
