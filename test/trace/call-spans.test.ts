import { describe, expect, test } from 'bun:test';
import { callSpan } from '../../src/trace/call-spans.ts';
import { allSpans, type LifeSpan } from '../../src/trace/life-span.ts';
import { recorded, sinceNoon } from './recorded.ts';

type Step = [name: string, at: number, duration: number, error?: string];

function spanOf(steps: readonly Step[], fields: Record<string, unknown> = {}): LifeSpan {
  const list = steps.map(([name, at, duration, error]) => ({ name, at, duration, error }));
  return callSpan(recorded({ duration: 100, steps: list, ...fields }), 'parent');
}

/** A line for each span below the call: indented, with kind, beginning and duration. */
function outline(call: LifeSpan, depth = 0): string[] {
  return call.children.flatMap((span) => [
    `${'  '.repeat(depth)}${span.kind} ${span.name} ${sinceNoon(span.start)}+${span.duration}`,
    ...outline(span, depth + 1),
  ]);
}

const byName = (call: LifeSpan, name: string) => [...allSpans(call)].find((span) => span.name === name);

describe('steps', () => {
  test('are parts of those whose time they lie in', () => {
    const call = spanOf([
      ['check prevResult', 0, 5],
      ['take addresses', 10, 20],
      ['wait for the lease lock', 10, 4],
      ['read all leases', 15, 15.001],
      ['get link "eth0"', 30.001, 1],
    ]);
    expect(outline(call)).toEqual([
      'work check prevResult 0+5',
      'work take addresses 10+20',
      '  wait wait for the lease lock 10+4',
      '  work read all leases 15+15.001',
      'kernel get link "eth0" 30.001+1',
    ]);
  });

  test('stand in order, whatever the order in the record', () => {
    const call = spanOf([
      ['set link "a" up', 8, 1],
      ['get link "a"', 3, 1],
      ['take addresses', 3, 2],
    ]);
    expect(outline(call)).toEqual([
      'work take addresses 3+2',
      '  kernel get link "a" 3+1',
      'kernel set link "a" up 8+1',
    ]);
  });

  test('that overlap and do not contain each other stand side by side', () => {
    const call = spanOf([
      ['get link "a"', 0, 10],
      ['get link "b"', 5, 10],
    ]);
    expect(call.children.map(({ name }) => name)).toEqual(['get link "a"', 'get link "b"']);
  });

  test('that are damaged are left out', () => {
    const steps = [
      null,
      5,
      {},
      { name: 'no time' },
      { name: 7, at: 0, duration: 1 },
      { name: 'before', at: -1, duration: 1 },
      { name: 'a text', at: '1', duration: 1 },
      { name: 'good', at: 1.5, duration: 0 },
    ];
    expect(outline(callSpan(recorded({ steps }), 'p'))).toEqual(['kernel good 1.5+0']);
    expect(callSpan(recorded({ steps: 'none' }), 'p').children).toEqual([]);
  });

  test('may be hundreds', () => {
    const steps = Array.from({ length: 1000 }, (_, index): Step => [`get link ${index}`, index, 0.5]);
    const call = spanOf([['delegate ADD bridge', 0, 1000], ...steps], { duration: 1000 });
    expect(call.children[0]?.children).toHaveLength(1000);
    const ids = [...allSpans(call)].map(({ id }) => id);
    expect(new Set(ids).size).toBe(1002);
    expect(ids.every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
  });
});

describe('plugins', () => {
  const steps: Step[] = [
    ['delegate ADD bridge', 10, 40],
    ['bridge: wait for the lease lock', 20, 1],
    ['bridge: get link "cni0"', 22, 1],
    ['delegate ADD portmap', 50, 10],
    ['portmap: get link 4', 52, 1],
    ['commit 10 changes of nftables', 60, 2],
    ['hook ip', 70, 5],
  ];

  test('have the steps that are named after them', () => {
    const delegates = [
      { type: 'bridge', command: 'ADD', inProcess: true, duration: 30 },
      { type: 'portmap', command: 'ADD', inProcess: true, duration: 9 },
    ];
    const call = spanOf(steps, { delegates, hooks: [{ argv: ['ip', 'addr'], duration: 4, status: 0 }] });
    expect(outline(call)).toEqual([
      'plugin bridge 10+40',
      '  wait wait for the lease lock 20+1',
      '  kernel get link "cni0" 22+1',
      'plugin portmap 50+10',
      '  kernel get link 4 52+1',
      'kernel commit 10 changes of nftables 60+2',
      'hook hook ip addr 70+5',
    ]);
    expect(byName(call, 'portmap')?.account).toMatchObject({ type: 'portmap', duration: 9 });
  });

  test('have the beginning and the span that the record says', () => {
    const spanID = 'abcdefabcdef0001';
    const delegates = [{ type: 'bridge', command: 'ADD', at: 15, duration: 30, spanID }];
    const call = spanOf(steps, { delegates });
    expect(call.children[0]).toMatchObject({ id: spanID, parentID: call.id, duration: 30 });
    expect(sinceNoon(call.children[0]?.start ?? 0)).toBe(15);
    expect(byName(call, 'wait for the lease lock')?.parentID).toBe(spanID);
  });

  test('that debug is itself', () => {
    const call = spanOf([
      ['bridge ADD', 1, 50],
      ['bridge: get link "cni0"', 22, 1],
    ]);
    expect(outline(call)).toEqual(['plugin bridge 1+50', '  kernel get link "cni0" 22+1']);
  });

  test('of plugins', () => {
    const call = spanOf([
      ['delegate ADD flannel', 1, 50],
      ['flannel: read /run/flannel/subnet.env', 2, 1],
      ['flannel: bridge: wait for the lease lock', 5, 1],
      ['flannel: delegate ADD macvlan', 10, 5],
    ]);
    expect(outline(call)).toEqual([
      'plugin flannel 1+50',
      '  work read /run/flannel/subnet.env 2+1',
      '  wait bridge: wait for the lease lock 5+1',
      '  exec delegate ADD macvlan 10+5',
    ]);
  });

  test('whose ADD failed, and their DEL', () => {
    const call = spanOf(
      [
        ['delegate ADD one', 0, 10],
        ['delegate ADD two', 10, 10],
        ['delegate DEL two', 20, 10],
        ['delegate DEL one', 30, 10],
      ],
      {
        delegates: [
          { type: 'one', command: 'ADD', pid: 7 },
          { type: 'two', command: 'ADD', pid: 8, failure: 'full' },
          { type: 'two', command: 'DEL', pid: 9 },
          { type: 'one', command: 'DEL', pid: 10, failure: 'gone' },
        ],
        error: { code: 11, msg: 'delegate 2 of 2 ("two"): full', details: 'record 1 in 2' },
      },
    );
    expect(call.children.map(({ name, error, account }) => [name, error, account?.pid])).toEqual([
      ['one', undefined, 7],
      ['two', 'full', 8],
      ['two DEL', undefined, 9],
      ['one DEL', 'gone', 10],
    ]);
    expect(call.error).toBe('delegate 2 of 2 ("two"): full; record 1 in 2');
  });

  test('that was not found has no account', () => {
    const call = spanOf([['delegate ADD nowhere', 0, 1, 'was not found']]);
    expect(call.children[0]).toMatchObject({
      error: 'was not found',
      isTolerated: false,
      account: undefined,
    });
  });
});

describe('an error of a step', () => {
  const failed = 'get link "cni0": No such device (ENODEV)';
  const steps: Step[] = [
    ['delegate ADD bridge', 10, 40],
    ['bridge: take addresses', 20, 9, failed],
    ['bridge: get link "cni0"', 22, 1, failed],
  ];
  const tolerated = (call: LifeSpan) =>
    [...allSpans(call)].filter(({ isTolerated }) => isTolerated).map(({ name }) => name);

  test('is no fault where its plugin succeeded', () => {
    const call = spanOf(steps, { delegates: [{ type: 'bridge', command: 'ADD' }] });
    expect(tolerated(call)).toEqual(['take addresses', 'get link "cni0"']);
  });

  test('is none where the plugin failed because of something else', () => {
    const call = spanOf(steps, { delegates: [{ type: 'bridge', command: 'ADD', failure: 'full' }] });
    expect(tolerated(call)).toEqual(['take addresses', 'get link "cni0"']);
  });

  test('is one where the plugin failed because of it', () => {
    const failure = `bridge "cni0": ${failed}`;
    const call = spanOf(steps, { delegates: [{ type: 'bridge', command: 'ADD', failure }] });
    expect(tolerated(call)).toEqual([]);
  });

  test('of a hook always is', () => {
    const hooks = [{ argv: ['false'], failure: 'exited with status 1' }];
    const call = spanOf([['hook false', 0, 1]], { hooks });
    expect(call.children[0]).toMatchObject({ error: 'exited with status 1', isTolerated: false });
  });
});

test('a call that began and never ended', () => {
  const call = callSpan(recorded({ kind: 'begin', duration: undefined }), 'p');
  expect(call).toMatchObject({ isOpen: true, duration: 0, children: [], name: 'debug', parentID: 'p' });
});
