import { describe, expect, test } from 'bun:test';
import { programs } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { answer, FakePlugin, result } from './fake-plugin.ts';

const traceID = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentID = '00f067aa0ba902b7';
const TRACEPARENT = `00-${traceID}-${parentID}-01`;
const spanID = expect.stringMatching(/^[0-9a-f]{16}$/);

const delegate = { type: 'fake' };

describe.each(programs)('%s', (_, argv) => {
  test('continues the trace of the runtime, and hands it on to the delegate', async () => {
    using fake = new FakePlugin();
    const variables = { TRACEPARENT, TRACESTATE: 'vendor=1', BAGGAGE: 'user=1' };
    await fake.call('ADD', { delegate }, variables, argv);
    const [begin, call] = fake.records();
    expect(begin.trace).toEqual({ traceID, spanID: begin.id, parentID, flags: '01', state: 'vendor=1' });
    expect(call).toMatchObject({ traceparent: TRACEPARENT, trace: begin.trace });
    const [{ spanID: child }] = call.delegates;
    expect(child).toEqual(spanID);
    expect([parentID, call.id]).not.toContain(child);
    expect(fake.calls()[0]?.environment).toMatchObject({
      ...{ TRACEPARENT: `00-${traceID}-${child}-01`, TRACESTATE: 'vendor=1', BAGGAGE: 'user=1' },
    });
  });

  test('begins one where there is none', async () => {
    using fake = new FakePlugin();
    await fake.call('ADD', { delegate }, {}, argv);
    const [, call] = fake.records();
    expect(call.trace).toEqual({
      ...{ traceID: expect.stringMatching(/^[0-9a-f]{32}$/), spanID: call.id, flags: '01' },
    });
    const child = call.delegates[0].spanID;
    expect(fake.calls()[0]?.environment.TRACEPARENT).toBe(`00-${call.trace.traceID}-${child}-01`);
  });
});

test.each(['', 'nonsense', `00-${'0'.repeat(32)}-${parentID}-01`, `${TRACEPARENT}-more`])(
  'takes %j for no trace, and what came with it for nothing',
  async (malformed) => {
    using fake = new FakePlugin();
    const variables = { TRACEPARENT: malformed, TRACESTATE: 'vendor=1' };
    expect((await fake.call('ADD', { delegate }, variables)).status).toBe(0);
    const [, call] = fake.records();
    expect(call.trace).not.toHaveProperty('parentID');
    expect(call.trace).not.toHaveProperty('state');
    expect(call.trace.traceID).not.toBe(traceID);
    const { environment } = fake.calls()[0] as { environment: Record<string, string> };
    expect(environment).not.toHaveProperty('TRACESTATE');
    expect(environment.TRACEPARENT).toStartWith(`00-${call.trace.traceID}-`);
  },
);

test('every delegate has a span of its own, also in the DEL that undoes it', async () => {
  using fake = new FakePlugin(answer(result));
  fake.writeOther('two', `[ $CNI_COMMAND = DEL ] || { echo '{"code":11,"msg":"full"}'; exit 1; }`);
  await fake.call('ADD', { delegate: [{ type: 'fake' }, { type: 'two' }] }, { TRACEPARENT });
  const ids: string[] = fake.records()[1].delegates.map(({ spanID }: { spanID: string }) => spanID);
  expect(new Set(ids).size).toBe(4);
  expect(fake.calls().map(({ environment }) => environment.TRACEPARENT)).toEqual(
    ids.map((id) => `00-${traceID}-${id}-01`),
  );
});

test('a built-in delegate has one too, and begins when the record says', async () => {
  using fake = new FakePlugin();
  await fake.call('DEL', { delegate: { type: 'loopback' } }, { TRACEPARENT });
  const [, call] = fake.records();
  const [{ at, duration, ...account }] = call.delegates;
  expect(account).toMatchObject({ inProcess: true, spanID });
  const step = call.steps.find(({ name }: { name: string }) => name === 'delegate DEL loopback');
  expect(at).toBeWithin(step.at, step.at + step.duration);
  expect(at + duration).toBeLessThanOrEqual(step.at + step.duration + 0.002);
});

describe.if(requires('root', 'ip'))('a hook', () => {
  test('has a span, which it finds in its environment', async () => {
    using fake = new FakePlugin();
    const addHooks = [['sh', '-c', 'printf %s "$TRACEPARENT"']];
    await fake.call('ADD', { delegate, addHooks }, { TRACEPARENT, CNI_NETNS: '/proc/self/ns/net' });
    const [, { hooks }] = fake.records();
    expect(hooks).toMatchObject([{ spanID, stdout: `00-${traceID}-${hooks[0].spanID}-01` }]);
  });
});
