import { describe, expect, test } from 'bun:test';
import { styleText } from 'node:util';
import type { Paint } from '../../src/cli/terminal.ts';
import { ascii, blocks } from '../../src/cli/time-bar.ts';
import { type Drawing, waterfall } from '../../src/cli/waterfall.ts';
import { newObject } from '../../src/cni/json.ts';
import { livesOf } from '../../src/trace/life.ts';
import { type Recorded, recorded } from '../trace/recorded.ts';

const plain: Paint = (_, text) => text;
const colours: Paint = (style, text) => styleText(style, text, { validateStream: false });
const drawing: Drawing = { width: 80, style: blocks, paint: plain, all: false, isRunning: () => false };

const chain = ['debug', 'portmap', 'debug', 'tuning'].map((type) => newObject([['type', type]]));

/** The lives that the records tell of, drawn. */
function drawn(records: readonly Recorded[], terms: Partial<Drawing> = {}): string {
  const lives = livesOf(records.map(recorded), () => [chain]);
  return lives.map((life) => waterfall(life, life.operations, { ...drawing, ...terms })).join('\n');
}

const lines = (text: string) => text.split('\n');
const step = (name: string, at: number, duration: number, error?: string) => ({ name, at, duration, error });

const noSuchLink = 'get link "cni4": No such device (ENODEV)';
const place = 'record 0123456789abcdef in /var/log/cni-debug/journal.ndjson';

const whole: Recorded[] = [
  {
    ...{ id: 'a000000000000001', duration: 61.234 },
    pod: { namespace: 'default', name: 'web', uid: 'u' },
    trace: { traceID: '4bf92f3577b34da6a3ce929d0e0e4736', spanID: 'a000000000000001', parentID: '1' },
    steps: [
      step('delegate ADD bridge', 4, 41),
      step('bridge: wait for the lease lock', 6, 12.5),
      step('bridge: take addresses', 18.6, 1.4),
      step('bridge: read all leases', 18.8, 0.9),
      step('bridge: get link "cni4"', 20.5, 0.38, noSuchLink),
      step('bridge: create veth "veth5d898139819" with peer "eth0", master "cni4"', 21, 9.3),
      step('delegate ADD portmap', 45.2, 3),
      step('commit 10 changes of nftables', 48.5, 0.24),
      step('hook sh', 50, 11, undefined),
    ],
    delegates: [
      { type: 'bridge', command: 'ADD', inProcess: true, at: 4.1, duration: 40.9 },
      { type: 'portmap', command: 'ADD', inProcess: true, at: 45.3, duration: 2.9 },
    ],
    hooks: [{ argv: ['sh', '-c', 'exit 3'], at: 50.1, duration: 10.8, failure: 'exited with status 3' }],
    findings: [
      {
        rule: 'hook-failed',
        object: 'addHooks[0]',
        message: 'hook ["sh","-c","exit 3"] exited with status 3',
      },
      {
        rule: 'duplicate-address',
        object: 'result.ips[1]',
        message: 'result.ips[1]: 10.22.0.2/16 stands twice',
      },
    ],
  },
  {
    ...{ id: 'a000000000000002', at: 100, duration: 8.75 },
    trace: { traceID: '4bf92f3577b34da6a3ce929d0e0e4736', spanID: 'a000000000000002', parentID: '2' },
    steps: [step('check prevResult', 1, 6.1)],
    result: { cniVersion: '1.0.0', ips: [{ address: '10.22.0.2/16' }, { address: 'fd00::2/64' }] },
  },
  {
    ...{ id: 'a000000000000003', at: 7_380_000, command: 'CHECK', duration: 20 },
    steps: [step('delegate CHECK bridge', 2, 15), step('bridge: get link "cni4"', 3, 1, noSuchLink)],
    delegates: [{ type: 'bridge', command: 'CHECK', at: 2, duration: 15, failure: `bridge: ${noSuchLink}` }],
    error: { code: 100, msg: `bridge: ${noSuchLink}`, details: `look at the bridge; ${place}` },
  },
  { id: 'a000000000000004', at: 7_390_000, command: 'DEL', kind: 'begin', duration: undefined },
  {
    ...{ id: 'a000000000000005', at: -500, command: 'DEL', duration: 12, boot: 'two' },
    attachment: { containerID: 'c1', ifName: 'eth0', netns: '' },
  },
];

describe('a whole life', () => {
  test.each([
    ['80 columns', { width: 80 }],
    ['160 columns', { width: 160 }],
    ['80 columns, in ASCII', { width: 80, style: ascii }],
    ['80 columns, in colours', { width: 80, paint: colours }],
    ['160 columns, in colours', { width: 160, paint: colours }],
  ])('in %s', (_, terms) => {
    expect(drawn(whole, terms)).toMatchSnapshot();
  });

  test.each([40, 60, 80, 100, 160, 300])('is never wider than %i columns', (width) => {
    for (const style of [blocks, ascii])
      for (const line of lines(drawn(whole, { width, style }))) {
        // What has no space to be broken at.
        if (!/[^ ]{38}/.test(line)) expect([...line].length).toBeLessThanOrEqual(width);
      }
  });

  test('says the same with colours and without', () => {
    expect(Bun.stripANSI(drawn(whole, { paint: colours }))).toBe(drawn(whole));
  });

  test('says of a call without an end whether its process is still there', () => {
    expect(drawn(whole, { isRunning: () => true })).toContain(
      'DEL 2026-11-20 14:03:10.000 +00:00: has not ended yet',
    );
  });
});

describe('hundreds of steps', () => {
  const steps = Array.from({ length: 300 }, (_, index) => step(`get link ${index}`, index, 0.5));
  const many = [{ duration: 1000, steps: [...steps, step('take addresses', 400, 500)] }];

  test('are put together where they are small', () => {
    const shown = lines(drawn(many));
    expect(shown).toHaveLength(9);
    expect(shown[6]).toMatch(/^ {5}300 small steps +█+.* +300 ms$/);
    expect(shown[7]).toMatch(/^\* {4}take addresses/);
  });

  test('are all there when they are asked for', () => {
    expect(lines(drawn(many, { all: true }))).toHaveLength(308);
  });

  test('do not hide one that failed, nor two', () => {
    const failed = step('get link 150', 150, 0.5, 'no');
    const few = [
      ...steps.slice(0, 2),
      step('long', 2, 50),
      ...steps.slice(60, 150),
      failed,
      ...steps.slice(151),
    ];
    const shown = drawn([{ duration: 1000, steps: few, error: { code: 7, msg: 'no' } }]);
    expect(shown).toContain('get link 0');
    expect(shown).toContain('get link 1');
    expect(shown).toContain('90 small steps');
    expect(shown).toContain('149 small steps');
    expect(shown).toMatch(/\n !\s+get link 150/);
  });
});

describe('an error', () => {
  test('is said once, by the call, and marked wherever it was', () => {
    const shown = drawn(whole);
    expect(shown.split('No such device')).toHaveLength(2);
    expect(shown.match(/^[* ]! .*$/gm)).toHaveLength(4);
    expect(shown).not.toContain('record 0123456789abcdef');
    expect(shown).toContain('error 100: bridge:');
  });
});

test('what a record holds never controls the terminal', () => {
  const evil = '\u001b[31mred\u0007\r\n\u202e\u009b2J\u0000';
  const text = drawn([
    {
      ...{
        plugin: evil,
        network: evil,
        command: evil,
        id: evil,
        pod: { namespace: evil, name: evil, uid: evil },
      },
      attachment: { containerID: evil, ifName: evil, netns: evil },
      steps: [step(`delegate ADD ${evil}`, 0, 2), step(`hook ${evil}`, 3, 2, evil), step(evil, 6, 1, evil)],
      delegates: [{ type: evil, command: 'ADD', failure: evil }],
      hooks: [{ argv: [evil], failure: evil }],
      findings: [{ rule: evil, object: evil, message: evil }],
      error: { code: 7, msg: evil, details: evil },
      trace: { traceID: evil, spanID: evil, parentID: evil },
      result: { ips: [{ address: evil }] },
    },
  ]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  expect(text).toContain('\\e[31mred');
});

test('what is done to a network as a whole', () => {
  const gc = { command: 'GC', attachment: {}, duration: 3 };
  expect(drawn([gc])).toStartWith(
    'network "net", no container\n\nGC 2026-11-20 12:00:00.000 +00:00, 3.00 ms: done\n',
  );
});
