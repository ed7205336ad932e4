import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { lifeDocument } from '../../src/cli/life-document.ts';
import { blocks } from '../../src/cli/time-bar.ts';
import { waterfall } from '../../src/cli/waterfall.ts';
import { type Json, newObject, stringifyJson } from '../../src/cni/json.ts';
import { CallSummary } from '../../src/trace/call-summary.ts';
import { livesOf } from '../../src/trace/life.ts';
import { allSpans } from '../../src/trace/life-span.ts';
import { recorded } from '../trace/recorded.ts';

const drawing = {
  width: 80,
  style: blocks,
  paint: (_: string, text: string) => text,
  all: true,
  isRunning: () => false,
};

/** What could stand in a field, or should not. */
const value = fc.oneof(fc.double(), fc.nat(100), fc.string(), fc.jsonValue());
const name = fc.oneof(
  fc.constantFrom(
    'delegate ADD bridge',
    'bridge: get link',
    'hook sh',
    'bridge ADD',
    'wait for the lease lock',
  ),
  value,
);
const step = fc.record({ name, at: value, duration: value, error: value }, { requiredKeys: [] });
const account = fc.record(
  { type: fc.constantFrom('bridge', 5), command: fc.constantFrom('ADD', null), at: value, duration: value },
  { requiredKeys: [] },
);
const record = fc.record(
  {
    at: fc.integer({ min: -1e9, max: 1e9 }),
    kind: fc.constantFrom('begin', 'call'),
    id: fc.constantFrom('a', 'b', ''),
    ...{ command: fc.constantFrom('ADD', 'DEL', 7), duration: value, plugin: value, network: value },
    ...{
      attachment: value,
      process: value,
      boot: value,
      configuration: value,
      prevResult: value,
      trace: value,
    },
    ...{ steps: fc.oneof(fc.array(step), value), delegates: fc.oneof(fc.array(account), value) },
    ...{
      hooks: fc.oneof(fc.array(account), value),
      findings: value,
      error: value,
      result: value,
      pod: value,
    },
  },
  { requiredKeys: [] },
);

test('whatever records hold, they are drawn', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (documents) => {
      const records = documents.map(recorded);
      const lives = livesOf(records, () => [[newObject([['type', 'debug']])]]);
      for (const life of lives) {
        for (const { start, duration } of life.operations.flatMap((operation) => [...allSpans(operation)])) {
          expect(Number.isFinite(start)).toBe(true);
          expect(duration).toBeGreaterThanOrEqual(0);
        }
        expect(waterfall(life, life.operations, drawing)).toEndWith('\n');
        expect(() => JSON.parse(stringifyJson(lifeDocument(life, life.operations) as Json))).not.toThrow();
      }
      const summary = new CallSummary();
      summary.addAll(records);
      expect(summary.rows().every(({ calls, errors }) => errors <= calls)).toBe(true);
    }),
  );
});
