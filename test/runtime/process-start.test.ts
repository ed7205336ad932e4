import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import { isReused, processStart } from '../../src/runtime/process-start.ts';
import { scratchFolder } from '../kernel/scratch.ts';

test('when a process was started, whatever it is called', async () => {
  const scratch = scratchFolder();
  try {
    mkdirSync(`${scratch.path}/bin`);
    // Field 2 of its stat.
    const strange = `${scratch.path}/bin/a) Z 1 (`;
    copyFileSync('/bin/sleep', strange);
    const before = Date.now();
    const child = spawn(strange, ['30'], { stdio: 'ignore' });
    await once(child, 'spawn');
    await Bun.sleep(50);
    const start = processStart(child.pid ?? 0);
    expect(Math.abs((start?.getTime() ?? 0) - before)).toBeLessThan(500);
    expect(isReused(child.pid ?? 0, new Date(before))).toBe(false);
    expect(isReused(child.pid ?? 0, new Date(before - 5000))).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(processStart(child.pid ?? 0)).toBeUndefined();
    expect(isReused(child.pid ?? 0, new Date(0))).toBe(false);
  } finally {
    scratch.remove();
  }
});

test('what was never there has no start', () => {
  for (const pid of [0, -1, 99_999_999, Number.NaN]) {
    expect(processStart(pid)).toBeUndefined();
    expect(isReused(pid, new Date(0))).toBe(false);
  }
});
