import { expect, test } from 'bun:test';
import { readConfiguration } from '../../src/cni/configuration.ts';
import { type Json, newObject } from '../../src/cni/json.ts';
import { readValidAttachments } from '../../src/cni/valid-attachments.ts';

const valid = 'cni.dev/valid-attachments';
const older = 'cni.dev/attachments';
const of = (...names: string[]) =>
  names.map((containerID) =>
    newObject([
      ['containerID', containerID],
      ['ifname', 'eth0'],
    ]),
  );

function read(...entries: [string, Json][]) {
  const document = newObject([['cniVersion', '1.1.0'], ['name', 'net'], ...entries]);
  return readValidAttachments(readConfiguration(document, 'GC'))?.map(
    ({ containerID, ifName }) => `${containerID} ${ifName}`,
  );
}

test('says nothing, none, or some', () => {
  expect(read()).toBeUndefined();
  expect(read([valid, null], [older, null])).toBeUndefined();
  expect(read([valid, []])).toEqual([]);
  expect(read([valid, of('a', 'b')])).toEqual(['a eth0', 'b eth0']);
  expect(read([older, of('a')])).toEqual(['a eth0']);
  expect(read([older, of('a')], [valid, []])).toEqual([]);
  // The first that is there wins, also when it says nothing: an empty list would have everything removed.
  expect(read([older, []], [valid, null])).toBeUndefined();
  expect(read([older, of('a')], [valid, null])).toBeUndefined();
});

test('what cannot be understood is an error', () => {
  expect(() => read([valid, 'x'])).toThrow('cni.dev/valid-attachments: "x" is not an array');
  expect(() => read([valid, [newObject([['ifname', 'eth0']])]])).toThrow(
    'cni.dev/valid-attachments[0].containerID: is missing',
  );
  expect(() => read([older, [1]])).toThrow('cni.dev/attachments[0]: 1 is not an object');
});
