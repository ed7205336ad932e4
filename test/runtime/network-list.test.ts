import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { parseConflist } from '../../src/cni/conflist.ts';
import type { CniError } from '../../src/cni/error.ts';
import { stringifyJson } from '../../src/cni/json.ts';
import { addNetworkList, checkNetworkList, delNetworkList } from '../../src/runtime/network-list.ts';
import { PluginFolder } from './plugin-folder.ts';

let folder: PluginFolder;

beforeEach(() => {
  folder = new PluginFolder();
});

afterEach(() => {
  folder[Symbol.dispose]();
});

/** A plugin that notes every call and its configuration, then does what `body` says. */
function plugin(type: string, body: string): void {
  const note = `input=$(cat); echo "$CNI_COMMAND ${type} $input" >> ${folder.path}/calls`;
  folder.script(type, `${note}\n${body}`);
}

/** The calls so far, without the keys that are the same in all. */
function calls(): string[] {
  const lines = folder.read('calls').trimEnd().split('\n');
  return lines.map((line) => line.replace(/"type":"\w+","cniVersion":"[\d.]+","name":"net",?/, ''));
}

function list(cniVersion: string, ...types: string[]) {
  const plugins = types.map((type) => ({ type }));
  return parseConflist(JSON.stringify({ name: 'net', cniVersion, plugins }));
}

function runtime() {
  return {
    containerID: 'c1',
    netns: '/var/run/netns/x',
    ifName: 'eth0',
    cniPath: folder.path,
    cacheDir: `${folder.path}/cache`,
    timeoutMs: 20_000,
  };
}

async function errorOf(promise: Promise<unknown>): Promise<CniError> {
  return promise.then(
    () => {
      throw new Error('no error');
    },
    (error) => error,
  );
}

const result = (cniVersion: string, name: string) =>
  `{"cniVersion":"${cniVersion}","interfaces":[{"name":"${name}"}]}`;

test('ADD hands each result to the next plugin', async () => {
  plugin('one', `echo '${result('1.0.0', 'a')}'`);
  plugin('two', `echo '${result('1.0.0', 'b')}'`);
  const added = await addNetworkList(list('1.0.0', 'one', 'two'), runtime());
  expect(stringifyJson(added)).toBe(result('1.0.0', 'b'));
  expect(calls()).toEqual(['ADD one {}', `ADD two {"prevResult":${result('1.0.0', 'a')}}`]);
});

test('the environment of a plugin', async () => {
  plugin('one', `env | grep ^CNI_ | sort > ${folder.path}/env; echo '${result('1.0.0', 'a')}'`);
  await addNetworkList(list('1.0.0', 'one'), { ...runtime(), args: 'IP=10.0.0.1' });
  expect(folder.read('env').trim().split('\n')).toEqual([
    'CNI_ARGS=IP=10.0.0.1',
    'CNI_COMMAND=ADD',
    'CNI_CONTAINERID=c1',
    'CNI_IFNAME=eth0',
    'CNI_NETNS=/var/run/netns/x',
    `CNI_PATH=${folder.path}`,
  ]);
});

describe('the trace', () => {
  const keep = `echo "$CNI_COMMAND $TRACEPARENT $TRACESTATE $BAGGAGE" >> "$(dirname "$0")/trace"`;
  const traces = () => {
    const lines = folder.read('trace').split('\n').filter(Boolean);
    folder.file('trace', '');
    return lines.map((line) =>
      /^([A-Z]+) 00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2}) (.*)$/.exec(line)?.slice(1),
    );
  };
  const distinct = (column: number, found: ReturnType<typeof traces>) =>
    new Set(found.map((fields) => fields?.[column])).size;

  test('of a chain is one, in which each plugin has a span, also in the DEL after a failed ADD', async () => {
    plugin('one', `${keep}; echo '${result('1.0.0', 'a')}'`);
    plugin('two', `${keep}; [ $CNI_COMMAND = DEL ] || exit 1`);
    await errorOf(addNetworkList(list('1.0.0', 'one', 'two'), runtime()));
    const found = traces();
    expect(found.map((fields) => fields?.[0])).toEqual(['ADD', 'ADD', 'DEL', 'DEL']);
    expect([distinct(1, found), distinct(2, found)]).toEqual([1, 4]);
    await addNetworkList(list('1.0.0', 'one'), runtime());
    expect(traces()[0]?.[1]).not.toBe(found[0]?.[1]);
  });

  test('is that of whoever calls us', async () => {
    plugin('one', `${keep}; echo '${result('1.0.0', 'a')}'`);
    const traceID = '4bf92f3577b34da6a3ce929d0e0e4736';
    const environment = {
      ...{ PATH: process.env.PATH, TRACEPARENT: `00-${traceID}-00f067aa0ba902b7-00` },
      ...{ TRACESTATE: 'vendor=1', BAGGAGE: 'user=1' },
    };
    await addNetworkList(list('1.0.0', 'one'), { ...runtime(), environment });
    expect(traces()).toEqual([['ADD', traceID, expect.any(String), '00', 'vendor=1 user=1']]);
  });
});

test('a result of another version is converted', async () => {
  plugin('one', `echo '${result('0.4.0', 'a')}'`);
  const added = await addNetworkList(list('1.0.0', 'one'), runtime());
  expect(added.cniVersion).toBe('1.0.0');
});

test('a plugin that fails is named, and the whole chain gets its DEL in reverse', async () => {
  plugin('one', `[ $CNI_COMMAND = DEL ] || echo '${result('1.0.0', 'a')}'`);
  plugin('two', `[ $CNI_COMMAND = DEL ] || { echo '{"code":11,"msg":"later","details":"d"}'; exit 1; }`);
  const error = await errorOf(addNetworkList(list('1.0.0', 'one', 'two', 'three'), runtime()));
  expect(error.code).toBe(11);
  expect(error.message).toBe('network "net": ADD failed at plugin 2 of 3 ("two"): later');
  expect(error.details).toStartWith(
    'd; then DEL failed, too: network "net": DEL failed at plugin 3 of 3 ("three"): plugin "three" was not found in',
  );
  expect(calls().map((call) => call.slice(0, 7))).toEqual(['ADD one', 'ADD two', 'DEL two', 'DEL one']);
});

test('a result that is none is the error of its plugin', async () => {
  plugin('one', `echo '{"cniVersion":"1.0.0","ips":[{"address":"nonsense"}]}'`);
  const error = await errorOf(addNetworkList(list('1.0.0', 'one'), runtime()));
  expect(error.message).toStartWith(
    'network "net": ADD failed at plugin 1 of 1 ("one"): result.ips[0].address: ',
  );
});

test('an ADD that is ended still cleans up', async () => {
  plugin('one', '[ $CNI_COMMAND = DEL ] || sleep 30');
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 300);
  const error = await errorOf(
    addNetworkList(list('1.0.0', 'one'), { ...runtime(), signal: controller.signal }),
  );
  expect(error.message).toContain('was ended with SIGTERM before it answered ADD');
  expect(calls()).toEqual(['ADD one {}', 'DEL one {}']);
});

test('DEL goes on after an error and throws the first', async () => {
  plugin('one', 'exit 0');
  plugin('two', `echo '{"code":5,"msg":"second"}'; exit 1`);
  plugin('three', `echo '{"code":5,"msg":"first"}'; exit 1`);
  const error = await errorOf(delNetworkList(list('1.0.0', 'one', 'two', 'three'), runtime()));
  expect(error.message).toBe('network "net": DEL failed at plugin 3 of 3 ("three"): first');
  expect(calls()).toEqual(['DEL three {}', 'DEL two {}', 'DEL one {}']);
});

test('prevResult comes with DEL since 0.4.0', async () => {
  plugin('one', '[ $CNI_COMMAND = DEL ] || echo \'{"ips":[]}\'');
  for (const version of ['0.3.1', '0.4.0']) {
    await addNetworkList(list(version, 'one'), runtime());
    await delNetworkList(list(version, 'one'), runtime());
  }
  const prevResult = '{"cniVersion":"0.4.0","ips":[],"dns":{}}';
  expect(calls()).toEqual(['ADD one {}', 'DEL one {}', 'ADD one {}', `DEL one {"prevResult":${prevResult}}`]);
});

test('CHECK stops at the first error, came with 0.4.0, and can be disabled', async () => {
  plugin('one', `[ $CNI_COMMAND = CHECK ] || exec echo '{}'; echo '{"code":7,"msg":"gone"}'; exit 1`);
  await addNetworkList(list('0.4.0', 'one'), runtime());
  const error = await errorOf(checkNetworkList(list('0.4.0', 'one', 'two'), runtime()));
  expect(error.message).toBe('network "net": CHECK failed at plugin 1 of 2 ("one"): gone');
  expect(calls().slice(1)).toEqual(['CHECK one {"prevResult":{"cniVersion":"0.4.0","dns":{}}}']);

  const early = await errorOf(checkNetworkList(list('0.3.1', 'one'), runtime()));
  expect(`${early.code}: ${early.message}`).toBe(
    '1: network "net": version 0.3.1 has no CHECK, it came with 0.4.0',
  );

  await checkNetworkList({ ...list('0.4.0', 'one'), disableCheck: true }, runtime());
  expect(calls()).toHaveLength(2);
});
