import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { peakMemoryOfChildren } from '../../src/kernel/process.ts';

test('a child that fills 200 MB raises the peak above that, and it stays there', () => {
  const fill = `${process.execPath} -e "Buffer.alloc(200_000_000, 1)"`;
  spawnSync('sh', ['-c', fill]);
  const peak = peakMemoryOfChildren();
  expect(peak).toBeGreaterThan(195_000);
  expect(peak).toBeLessThan(2_000_000);
  spawnSync('true');
  expect(peakMemoryOfChildren()).toBe(peak);
}, 60_000);
