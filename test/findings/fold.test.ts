import { expect, test } from 'bun:test';
import type { Finding, Reason } from '../../src/findings/finding.ts';
import { type Folded, fold } from '../../src/findings/fold.ts';

function finding(id: string, object: string, more: Partial<Finding> = {}): Finding {
  const text = { cause: 'is wrong', evidence: [], meaning: '', fix: [], undo: [] };
  return { id, rule: id, severity: 'error', object, ...text, ...more };
}

const follows = (...reasons: Reason[]): Partial<Finding> => ({ follows: reasons });

/** `D001 a (D002 b)` */
function outline(folded: readonly Folded[]): string {
  return folded
    .map(({ finding: { id, object }, consequences }) => {
      const below = consequences.length === 0 ? '' : ` (${outline(consequences)})`;
      return `${id} ${object}${below}`;
    })
    .join(', ');
}

test('what follows from a finding is below it', () => {
  const found = [
    finding('D002', 'a', follows({ id: 'D001', object: 'a' })),
    finding('D002', 'b', follows({ id: 'D001', object: 'b' })),
    finding('D001', 'a'),
    finding('D003', 'a', follows({ id: 'D009' }, { id: 'D002', object: 'a' })),
  ];
  expect(outline(fold(found))).toBe('D002 b, D001 a (D002 a (D003 a))');
});

test('errors stand before warnings, and a warning from which an error follows before those', () => {
  const warning = { severity: 'warning' } as const;
  const found = [
    finding('D001', 'x', { severity: 'info' }),
    finding('D002', 'x', warning),
    finding('D003', 'x', warning),
    finding('D004', 'x', follows({ id: 'D003' })),
    finding('D005', 'x'),
  ];
  expect(outline(fold(found))).toBe('D003 x (D004 x), D005 x, D002 x, D001 x');
});

test('a circle loses nothing', () => {
  const found = [
    finding('D001', 'x', follows({ id: 'D002' })),
    finding('D002', 'x', follows({ id: 'D001' })),
    finding('D003', 'x', follows({ id: 'D002' })),
    finding('D004', 'x', follows({ id: 'D004' })),
  ];
  expect(outline(fold(found))).toBe('D001 x (D002 x (D003 x)), D004 x');
});
