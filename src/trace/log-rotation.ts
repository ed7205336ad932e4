import { lstatSync, renameSync, unlinkSync } from 'node:fs';
import { withSystemError } from '../kernel/system-error.ts';

/**
 * Moves `path` to `path.1`, `path.1` to `path.2`, and so on; of `maxFiles` files the oldest goes. The caller holds the
 * lock of `path`, which is moved last: until then nobody else can be in here. Killed between two steps, it leaves a
 * gap in the numbers, which the next rotation fills. Throws SystemError, and then `path` is still where it was.
 */
export function rotate(path: string, maxFiles: number): void {
  if (maxFiles <= 1) {
    withSystemError('unlink', path, () => unlinkSync(path));
    return;
  }
  let free = 1;
  while (free < maxFiles - 1 && exists(`${path}.${free}`)) free += 1;
  for (let number = free; number > 1; number -= 1) move(`${path}.${number - 1}`, `${path}.${number}`);
  move(path, `${path}.1`);
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function move(from: string, to: string): void {
  withSystemError('rename', from, () => renameSync(from, to));
}
