import { expect, test } from 'bun:test';
import { type Json, parseJson } from '../../src/cni/json.ts';
import { type Amendment, recordedInput } from '../../src/replay/recorded-input.ts';
import { ReplayRefusal } from '../../src/replay/refusal.ts';
import { storedRecord } from '../../src/trace/stored-record.ts';
import { journalLine } from '../trace/journal-lines.ts';

const nothing: Amendment = { values: new Map(), leaveOut: false };
const configuration = {
  type: 'debug',
  delegate: [{ type: 'x', token: '[redacted]' }, { argv: ['--token', '[redacted]', 'on'] }],
  url: 'https://me:[redacted]@host/',
};
const environment = { PATH: '/bin', CNI_ARGS: 'A=b;API_KEY=[redacted];C=d', TOKEN: '[redacted]' };

function input(more: object, amendment: Partial<Amendment> = {}) {
  const record = storedRecord(JSON.parse(journalLine(0, { more: { configuration, environment, ...more } })));
  return recordedInput(record!, { ...nothing, ...amendment });
}

const paths = [
  'configuration.delegate[0].token',
  'configuration.delegate[1].argv[1]',
  'configuration.url',
  'environment.CNI_ARGS',
  'environment.TOKEN',
];

test('each redacted value is named by its path', () => {
  const refused = () => input({});
  expect(refused).toThrow(ReplayRefusal);
  expect(refused).toThrow(`has 5 values that were redacted: ${paths.join(', ')}`);
});

test('what is given takes its place, and the rest is left out', () => {
  const values = new Map<string, Json>([
    [paths[0]!, 'open'],
    [paths[2]!, parseJson('{"host":"h"}')],
  ]);
  const { document, environment } = input({ prevResult: undefined }, { values, leaveOut: true });
  expect(JSON.parse(JSON.stringify(document))).toEqual({
    type: 'debug',
    delegate: [{ type: 'x', token: 'open' }, { argv: ['--token', 'on'] }],
    url: { host: 'h' },
  });
  expect(environment).toEqual({ PATH: '/bin', CNI_ARGS: 'A=b;C=d' });
});

test('prevResult is a part of the configuration again', () => {
  const { document } = input({ configuration: { type: 'debug' }, environment: {}, prevResult: { ips: [] } });
  expect(JSON.parse(JSON.stringify(document))).toEqual({ type: 'debug', prevResult: { ips: [] } });
});

test.each([
  [{ configuration: '{"type": "deb... (10 more)' }, 'is cut'],
  [{ prevResult: '{"ips": [... (10 more)' }, 'is cut'],
  [{ stdin: 'no json', configuration: undefined }, 'whose stdin was no JSON'],
  [{ environment: undefined }, 'has no configuration or no environment'],
])('%j cannot be made whole', (more, message) => {
  expect(() => input({ environment: {}, configuration: {}, ...more })).toThrow(message);
});
