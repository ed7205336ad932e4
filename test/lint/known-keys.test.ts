import { describe, expect, spyOn, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { readersByType } from '../../src/cli/plugin-readers.ts';
import { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { type JsonObject, parseJson } from '../../src/cni/json.ts';
import { keyPath } from '../../src/cni/problem.ts';
import type { Schema } from '../../src/lint/key-schema.ts';
import { keysOfPlugin, knownTypes } from '../../src/lint/known-keys.ts';

/** With something in each list, so that what is asked of its items is seen. */
const route = { dst: '10.0.0.0/8', gw: '10.1.0.1', dev: 'eth0' };
const range = { subnet: '10.1.0.0/16' };
const full: Readonly<Record<string, object>> = {
  bridge: { vlanTrunk: [{ id: 1 }], ipam: { type: 'host-local', ranges: [[range]] }, dns: {} },
  debug: {
    journal: {},
    delegate: { type: 'bridge' },
    addHooks: [['true']],
    allowFaults: true,
    fault: { error: {} },
  },
  flannel: { delegate: { type: 'bridge' }, ipam: { type: 'host-local', routes: [route] } },
  'host-local': {
    ipam: { type: 'host-local', ...range, ranges: [[{ subnet: '10.2.0.0/16' }]], routes: [route] },
  },
  'host-routes': { routes: [route] },
  loopback: {},
  macvlan: { ipam: { type: 'host-local' }, dns: {} },
  portmap: {},
};

/** What the reader of a type looks up, as it comes to it. */
function askedBy(type: string, document: JsonObject): string[] {
  const asked = new Set<string>();
  const lookUp = ConfigurationValue.prototype.key;
  const spy = spyOn(ConfigurationValue.prototype, 'key').mockImplementation(function (
    this: ConfigurationValue,
    name: string,
  ) {
    asked.add(keyPath(this.path, name));
    return lookUp.call(this, name);
  });
  try {
    readersByType[type]?.(document, '1.0.0');
  } finally {
    spy.mockRestore();
  }
  return [...asked];
}

/** Whether a schema has a place for a path. */
function knows(schema: Schema, path: string): boolean {
  if (path === '' || schema.kind === 'anything') return true;
  if (schema.kind === 'either') return schema.schemas.some((other) => knows(other, path));
  if (schema.kind === 'list') return /^\[/.test(path) && knows(schema.items, path.replace(/^\[\d+\]\.?/, ''));
  const [, key = '', rest = ''] = /^([^.[]+)\.?(.*)$/.exec(path) ?? [];
  if (schema.kind === 'map') return knows(schema.values, rest);
  return schema.kind === 'struct' && Object.hasOwn(schema.keys, key) && knows(schema.keys[key]!, rest);
}

test.each(Object.keys(readersByType))('every key that %s asks for is known', (type) => {
  const document = parseJson(JSON.stringify(full[type])) as JsonObject;
  const asked = askedBy(type, document);
  const schema = keysOfPlugin(type, {
    ipamType: type === 'debug' || type === 'portmap' ? '' : 'host-local',
  })!;
  expect(asked.filter((path) => !knows(schema, path))).toEqual([]);
  if (type !== 'loopback') expect(asked.length).toBeGreaterThan(2);
});

/** Of ours only; without a tag in the reference; newer than its last release. */
const notThere = ['network', 'subnet', 'DPDKMode', 'shapedSubnets', 'unshapedSubnets'];
const folder = '/opt/reference-cni/bin';

// Those of a Debian release are older than what this table is of, and lack keys.
const isNew = existsSync(`${folder}/tap`);
if (!isNew) process.stderr.write(`skipped: no reference plugins of 1.9 in ${folder} (known-keys.test.ts)\n`);

describe.if(isNew)('of the reference', () => {
  const types = knownTypes.filter((type) => existsSync(`${folder}/${type}`));

  test.each(types)('%s has every key that it is said to have', (type) => {
    const program = readFileSync(`${folder}/${type}`, 'latin1');
    const { keys } = keysOfPlugin(type, { ipamType: '' })!;
    const shared = Object.keys(keysOfPlugin('loopback', { ipamType: '' })!.keys);
    const own = Object.keys(keys).filter((key) => !shared.includes(key) && !notThere.includes(key));
    expect(own.filter((key) => !new RegExp(`json:"${key}[",]`).test(program))).toEqual([]);
  });
});
