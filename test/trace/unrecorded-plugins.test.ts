import { expect, test } from 'bun:test';
import { newObject } from '../../src/cni/json.ts';
import { livesOf } from '../../src/trace/life.ts';
import { unrecordedPlugins } from '../../src/trace/unrecorded-plugins.ts';
import { recorded } from './recorded.ts';

const element = (type: string, keys: object = {}) => newObject(Object.entries({ type, ...keys }));
const chain = [element('bridge'), element('debug'), element('portmap'), element('debug'), element('tuning')];

/** A call of `debug`, as a runtime configures it. */
const call = (command: string, keys: object = {}) => {
  const ofTheCall = { cniVersion: '1.0.0', name: 'net', runtimeConfig: {} };
  return recorded({ command, configuration: { type: 'debug', ...ofTheCall, ...keys } });
};

test('plugins before, between and behind the calls', () => {
  expect(unrecordedPlugins([call('ADD'), call('ADD')], chain)).toEqual([['bridge'], ['portmap'], ['tuning']]);
  expect(unrecordedPlugins([call('DEL'), call('DEL')], chain)).toEqual([['tuning'], ['portmap'], ['bridge']]);
});

test('the elements are told apart by all of their keys', () => {
  const apart = [
    element('debug', { validate: 'off' }),
    element('bridge'),
    element('debug', { strictLog: true }),
  ];
  expect(unrecordedPlugins([call('ADD', { strictLog: true })], apart)).toEqual([['debug', 'bridge'], []]);
});

test('nothing is known where a call is of none of them', () => {
  expect(unrecordedPlugins([call('ADD'), call('ADD'), call('ADD')], chain)).toBeUndefined();
  expect(unrecordedPlugins([call('ADD')], [element('debug', { validate: 'off' })])).toBeUndefined();
  expect(unrecordedPlugins([recorded({ configuration: 'cut' })], chain)).toBeUndefined();
});

const life = (...records: Parameters<typeof recorded>[0][]) =>
  livesOf(
    records.map((fields = {}) => recorded({ configuration: { type: 'debug' }, ...fields })),
    (network) => (network === 'net' ? [[element('other')], chain] : []),
  )[0]?.operations[0];

test('a gap is named after them', () => {
  const operation = life({}, { at: 30 });
  expect(operation?.children[1]?.name).toBe('runtime, portmap');
  expect(operation).toMatchObject({ before: ['bridge'], behind: ['tuning'] });
  const [twins] = livesOf([recorded(), recorded({ at: 30 })], () => [[element('debug'), element('debug')]]);
  expect(twins?.operations[0]?.children[1]?.name).toBe('runtime');
});

test('what never ended does not come to those behind it, nor does an ADD that failed', () => {
  expect(life({ kind: 'begin', duration: undefined })).toMatchObject({ before: ['bridge'], behind: [] });
  expect(life({ error: { code: 7, msg: 'no' } })).toMatchObject({ before: ['bridge'], behind: [] });
  expect(life({ command: 'DEL', error: { code: 7, msg: 'no' } })?.behind).toEqual([
    'portmap',
    'debug',
    'bridge',
  ]);
});
