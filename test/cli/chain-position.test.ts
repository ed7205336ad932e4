import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainPositions } from '../../src/cli/chain-position.ts';
import { parseLine } from '../../src/trace/record-line.ts';
import { journalLine } from '../trace/journal-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const once = [{ type: 'bridge' }, { type: 'debug' }, { type: 'portmap' }];
const twice = [
  { type: 'debug', cniOutput: '/a', capabilities: { mac: true } },
  { type: 'bridge' },
  { cniOutput: '/b', type: 'debug' },
];
for (const [name, plugins] of Object.entries({ once, twice, same: [once[1], once[1]] }))
  writeFileSync(join(folder, `${name}.conflist`), JSON.stringify({ cniVersion: '1.0.0', name, plugins }));
writeFileSync(join(folder, 'damaged.conflist'), '{');

function place(network: string, configuration: object, confDir = folder): string | undefined {
  const record = parseLine(Buffer.from(journalLine(0, { network, more: { configuration } })));
  if (typeof record === 'string') throw new Error(record);
  return chainPositions(confDir)(record);
}

test.each([
  ['once', { type: 'debug', whatever: 'it says now' }, '2/3'],
  ['twice', { type: 'debug', cniOutput: '/a', name: 'twice', runtimeConfig: { mac: 'x' } }, '1/3'],
  ['twice', { type: 'debug', cniOutput: '/b', name: 'twice', cniVersion: '1.0.0' }, '3/3'],
  ['twice', { type: 'debug', cniOutput: '/c' }, undefined],
  ['same', { type: 'debug' }, undefined],
  ['none', { type: 'debug' }, undefined],
])('%s %j: %p', (network, configuration, expected) => {
  expect(place(network, configuration)).toBe(expected);
});

test('no folder, no places', () => {
  expect(place('once', {}, join(folder, 'none'))).toBeUndefined();
});
