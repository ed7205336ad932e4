import { describe, expect, test } from 'bun:test';
import { childOf, openTrace, withTrace } from '../../src/cni/trace-context.ts';

const traceID = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentID = '00f067aa0ba902b7';
const valid = `00-${traceID}-${parentID}-01`;

describe('a trace that the environment says', () => {
  test.each([
    ['is continued', valid, '01'],
    ['keeps that it is not sampled', valid.replace(/01$/, '00'), '00'],
    ['keeps only flags that are defined', valid.replace(/01$/, 'ff'), '03'],
    ['may be of a later version', valid.replace(/^00/, 'cc'), '01'],
    ['may say more in a later version', `${valid.replace(/^00/, 'cc')}-what-the-future-will-be-like`, '01'],
  ])('%s', (_, TRACEPARENT, flags) => {
    const context = openTrace({ TRACEPARENT, TRACESTATE: 'vendor=1' });
    expect(context).toEqual({ traceID, parentID, flags, state: 'vendor=1', spanID: context.spanID });
    expect(context.spanID).toMatch(/^[0-9a-f]{16}$/);
    expect(context.spanID).not.toBe(parentID);
  });

  test.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['another text', 'nonsense'],
    ['no flags', valid.slice(0, -3)],
    ['a trace ID of zeros', `00-${'0'.repeat(32)}-${parentID}-01`],
    ['a span ID of zeros', `00-${traceID}-${'0'.repeat(16)}-01`],
    ['upper case', valid.toUpperCase()],
    ['a version that is forbidden', valid.replace(/^00/, 'ff')],
    ['more than version 0 has', `${valid}-more`],
    ['a line break at its end', `${valid}\n`],
    ['white space before it', ` ${valid}`],
    ['a later version that goes on without a dash', `${valid.replace(/^00/, 'cc')}.more`],
    ['a digit too few', `00-${traceID.slice(1)}-${parentID}-01`],
    ['a digit too many', `00-${traceID}0-${parentID}-01`],
  ])('is a new one for %s', (_, TRACEPARENT) => {
    const context = openTrace({ TRACEPARENT, TRACESTATE: 'vendor=1' });
    expect(context).toMatchObject({ parentID: undefined, flags: '01', state: undefined });
    expect(context.traceID).toMatch(/^[0-9a-f]{32}$/);
    expect(context.traceID).not.toBe(traceID);
    expect(openTrace({ TRACEPARENT }).traceID).not.toBe(context.traceID);
  });
});

test('a child is a span of the same trace below its parent', () => {
  const parent = openTrace({ TRACEPARENT: valid, TRACESTATE: 'vendor=1' });
  const child = childOf(parent);
  expect(child).toEqual({ ...parent, parentID: parent.spanID, spanID: child.spanID });
  expect(child.spanID).not.toBe(parent.spanID);
});

test('an environment says the span, and passes on the state of its trace only', () => {
  const baggage = { BAGGAGE: 'user=1', PATH: '/bin' };
  const environment = { ...baggage, TRACEPARENT: valid, TRACESTATE: 'vendor=1' };
  const context = openTrace(environment);
  const TRACEPARENT = `00-${traceID}-${context.spanID}-01`;
  expect(withTrace(environment, context)).toEqual({ ...baggage, TRACEPARENT, TRACESTATE: 'vendor=1' });
  expect(withTrace(environment, openTrace({}))).not.toHaveProperty('TRACESTATE');
  expect(environment.TRACEPARENT).toBe(valid);
});
