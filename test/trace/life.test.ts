import { describe, expect, test } from 'bun:test';
import { livesOf, type Operation } from '../../src/trace/life.ts';
import { allSpans, derivedID } from '../../src/trace/life-span.ts';
import { type Recorded, recorded, sinceNoon } from './recorded.ts';

const other = { configuration: { type: 'debug', cniOutput: false } };
const inTrace = { trace: { traceID: 'a', spanID: '1', parentID: '2' } };

function operation(...records: Recorded[]): Operation {
  const [life, ...lives] = livesOf(records.map(recorded));
  expect(lives).toEqual([]);
  expect(life?.operations).toHaveLength(1);
  return life?.operations[0] as Operation;
}

const times = (whole: Operation) =>
  whole.children.map(({ kind, start, duration }) => [
    kind,
    sinceNoon(start),
    Math.round(duration * 1000) / 1000,
  ]);

describe('lives', () => {
  test('are those of attachments, in the order of their first records', () => {
    const attached = (containerID: string, ifName: string) => ({ attachment: { containerID, ifName } });
    const lives = livesOf(
      [attached('b', 'eth0'), attached('a', 'eth0'), attached('b', 'eth1'), attached('b', 'eth0')].map(
        (one, at) => recorded({ ...one, at: at * 100_000, command: 'CHECK' }),
      ),
    );
    expect(
      lives.map(({ containerID, ifName, operations }) => [containerID, ifName, operations.length]),
    ).toEqual([
      ['b', 'eth0', 2],
      ['a', 'eth0', 1],
      ['b', 'eth1', 1],
    ]);
    expect(livesOf([])).toEqual([]);
  });

  test('know namespace and pod from whoever said them last', () => {
    const pod = { namespace: 'default', name: 'web', uid: 'u' };
    const [life] = livesOf([
      recorded({ pod }),
      recorded({ at: 9000, command: 'DEL', attachment: { containerID: 'c1', ifName: 'eth0', netns: '' } }),
    ]);
    expect(life).toMatchObject({ network: 'net', netns: '/run/netns/c1', pod });
    expect(life?.operations.map(({ name }) => name)).toEqual(['ADD', 'DEL']);
  });
});

describe('an operation', () => {
  test('has its calls, and what lies between them', () => {
    const whole = operation({}, { at: 30, ...other, duration: 5 });
    expect(times(whole)).toEqual([
      ['call', 0, 10],
      ['gap', 10, 20],
      ['call', 30, 5],
    ]);
    expect(whole).toMatchObject({ kind: 'operation', name: 'ADD', duration: 35, error: undefined });
    expect(whole.children.every(({ parentID }) => parentID === whole.id)).toBe(true);
  });

  test('whose calls seem to touch has no gap', () => {
    expect(times(operation({ duration: 10.8 }, { at: 10, ...other }))).toEqual([
      ['call', 0, 10.8],
      ['call', 10.8, 10],
    ]);
  });

  test('says that the clock was set back, and goes on', () => {
    const whole = operation({}, { at: -3_600_000, ...other });
    expect(times(whole)).toEqual([
      ['call', 0, 10],
      ['gap', 10, 0],
      ['call', 10, 10],
    ]);
    expect(whole.children[1]?.name).toBe('the clock was set back');
  });

  test('has the error of the call that failed', () => {
    const whole = operation({}, { at: 30, ...other, error: { code: 7, msg: 'no', details: 'really' } });
    expect(whole.error).toBe('no; really');
  });

  test('whose call never ended', () => {
    expect(operation({ kind: 'begin', duration: undefined })).toMatchObject({ isOpen: true, duration: 0 });
    const open = { kind: 'begin', duration: undefined, command: 'DEL' };
    const whole = operation(open, { at: 30, command: 'DEL', ...other });
    expect(times(whole)).toEqual([
      ['call', 0, 30],
      ['call', 30, 10],
    ]);
    expect(whole).toMatchObject({ isOpen: false, children: [{ isOpen: true }, { isOpen: false }] });
  });

  test('names the trace that the runtime said, and no other', () => {
    expect(operation(inTrace).traceID).toBe('a');
    expect(operation({ trace: { traceID: 'a', spanID: '1' } }).traceID).toBeUndefined();
  });

  test('has IDs that are the same the next time', () => {
    const records = [recorded({}), recorded({ at: 30, ...other })];
    const ids = () =>
      livesOf(records).map(({ operations }) =>
        operations.map((one) => [...allSpans(one)].map(({ id }) => id)),
      );
    expect(ids()).toEqual(ids());
    expect(new Set(ids().flat(2)).size).toBe(4);
  });
});

describe('the critical path', () => {
  const marked = (whole: Operation) =>
    [...allSpans(whole)].filter(({ isCritical }) => isCritical).map(({ name }) => name);

  test('is what takes a tenth of the time or more', () => {
    const steps = [
      { name: 'delegate ADD bridge', at: 0, duration: 60 },
      { name: 'bridge: take addresses', at: 1, duration: 55 },
      { name: 'bridge: set link "a" up', at: 56, duration: 4 },
      { name: 'hook ip', at: 70, duration: 9 },
    ];
    const whole = operation({ duration: 80, steps }, { at: 100, ...other, duration: 5 });
    expect(marked(whole)).toEqual([
      'ADD',
      'debug',
      'bridge',
      'take addresses',
      'runtime, unrecorded plugins',
    ]);
  });

  test('has nothing that ran beside something longer', () => {
    const steps = [
      { name: 'get link "a"', at: 0, duration: 60 },
      { name: 'get link "b"', at: 20, duration: 70 },
    ];
    expect(marked(operation({ duration: 100, steps }))).toEqual(['ADD', 'debug', 'get link "b"']);
  });
});

test('derivedID is FNV-1a', () => {
  expect(derivedID('')).toBe('cbf29ce484222325');
  expect(derivedID('foobar')).toBe('85944171f73967e8');
});
