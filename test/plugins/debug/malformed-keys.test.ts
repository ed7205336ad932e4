import { afterEach, beforeEach, expect, test } from 'bun:test';
import { readSettings } from '../../../plugins/debug/configuration.ts';
import { type JsonObject, parseJson } from '../../../src/cni/json.ts';
import { answered, Scratch } from '../../program.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

test.each([50, 51, 52])('of %d wrong values in two keys the last one is named, too', async (count) => {
  const addHooks = Array.from({ length: count - 1 }, () => []);
  const { msg } = answered(await scratch.call('ADD', { addHooks, strictLog: 1 }));
  const more = count > 50 ? [`and ${count - 50} more`] : [];
  const named = addHooks.slice(0, 50).map((_, index) => `addHooks[${index}]: [] names no command`);
  // The 50th has its place among the first, or its turn after them.
  const last = 'strictLog: 1 is not a boolean';
  expect(msg.split('; ')).toEqual(count > 50 ? [...named, ...more, last] : [...named, last]);
});

test('several wrong values in one key are named each with its path', () => {
  // Not as a call: without a journal of its own it would be written to the machine's.
  const keys = {
    journal: { path: 'here', maxSize: 5, maxFiles: 2 ** 53 },
    addHooks: [['sh', 1], null, ['']],
    delegate: [{ type: 'a/b', capabilities: 1 }, null],
  };
  const { problems } = readSettings(parseJson(JSON.stringify(keys)) as JsonObject);
  expect(problems.map(({ message }) => message)).toEqual([
    'journal.path: "here" is not an absolute path',
    'journal.maxSize: 5 is not a string',
    'journal.maxFiles: 9007199254740992 is not an integer',
    'addHooks[0][1]: 1 is not a string',
    'addHooks[1]: is missing',
    'addHooks[2]: [""] names no command',
    'delegate[0].type: "a/b" is not the name of a plugin',
    'delegate[0].capabilities: 1 is not an object',
    'delegate[1]: is missing',
  ]);
});
