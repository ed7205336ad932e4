import { expect, test } from 'bun:test';
import { operationsOf } from '../../src/trace/operations.ts';
import { type Recorded, recorded } from './recorded.ts';

const other = { configuration: { type: 'debug', cniOutput: false } };
const inTrace = (name: string) => ({ trace: { traceID: name, spanID: '1', parentID: '2' } });
const ownTrace = (name: string) => ({ trace: { traceID: name, spanID: '1' } });

/** What is told of the records, in order; and how many of them each operation has. */
const cases: [string, Recorded[], number[]][] = [
  ['no record', [], []],
  ['two plugins of one chain', [{}, { at: 30, ...other }], [2]],
  ['two plugins that are configured alike', [{}, { at: 30 }], [2]],
  ['a repetition', [{ command: 'DEL' }, { at: 5000, command: 'DEL' }], [1, 1]],
  ['a plugin that took its time in between', [{}, { at: 60_000, ...other }], [2]],
  ['an hour in between', [{ command: 'DEL' }, { at: 3_600_000, command: 'DEL', ...other }], [1, 1]],
  [
    'a DEL whose result is forgotten',
    [{ command: 'DEL' }, { at: 30, command: 'DEL', prevResult: undefined }],
    [1, 1],
  ],
  ['another command', [{}, { at: 30, command: 'DEL' }], [1, 1]],
  ['ADD, CHECK, DEL', [{}, { at: 30, command: 'CHECK' }, { at: 50, command: 'DEL' }], [1, 1, 1]],
  ['a chain that begins again', [{}, { at: 30, ...other, prevResult: undefined }], [1, 1]],
  ['what follows an ADD that failed', [{ error: { code: 7, msg: 'no' } }, { at: 30, ...other }], [1, 1]],
  [
    'DEL goes on after an error',
    [
      { command: 'DEL', error: { code: 7, msg: 'no' } },
      { at: 30, command: 'DEL', ...other },
    ],
    [2],
  ],
  ['another runtime', [{}, { at: 30, ...other, process: { pid: 4, ppid: 3 } }], [1, 1]],
  ['after a reboot', [{}, { at: 30, ...other, boot: 'two' }], [1, 1]],
  ['two at the same time', [{ duration: 100 }, { at: 30, ...other }], [1, 1]],
  ['the millisecond that a record rounds off', [{ duration: 11.4 }, { at: 10, ...other }], [2]],
  ['a clock that was set back', [{}, { at: -3_600_000, ...other }], [2]],
  ['one trace', [inTrace('a'), { at: 30, ...inTrace('a') }], [2]],
  ['one trace, however long it takes', [inTrace('a'), { at: 900_000, ...other, ...inTrace('a') }], [2]],
  ['another trace', [inTrace('a'), { at: 30, ...other, ...inTrace('b') }], [1, 1]],
  [
    'a trace through a wrapper',
    [inTrace('a'), { at: 30, ...other, ...inTrace('a'), process: { ppid: 9 } }],
    [2],
  ],
  [
    'a trace in which the same is done twice',
    [inTrace('a'), { at: 30, ...inTrace('a'), process: { ppid: 9 } }],
    [1, 1],
  ],
  ['a trace that each of them began itself', [ownTrace('a'), { at: 30, ...other, ...ownTrace('b') }], [2]],
  ['no more than what every record has', [{ process: undefined, boot: undefined, configuration: 5 }], [1]],
  ['a begin and its call', [{ kind: 'begin', id: 'a' }, { id: 'a' }], [1]],
  ['a begin without a call', [{ kind: 'begin', duration: undefined }], [1]],
  [
    'a begin without a call, then DEL',
    [
      { kind: 'begin', duration: undefined },
      { at: 9, command: 'DEL' },
    ],
    [1, 1],
  ],
  ['records without an ID', [{ id: '' }, { at: 30, id: '', ...other }], [2]],
];

test.each(cases)('%s', (_, records, counts) => {
  expect(operationsOf(records.map(recorded)).map(({ length }) => length)).toEqual(counts);
});

test('the record of the end takes the place of that of the beginning', () => {
  const begin = recorded({ kind: 'begin', id: 'a', duration: undefined });
  const between = recorded({ at: 2, command: 'CHECK' });
  const call = recorded({ id: 'a' });
  expect(operationsOf([begin, between, call])).toEqual([[call], [between]]);
});
