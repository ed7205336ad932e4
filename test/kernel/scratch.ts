import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createNamespace, removeNamespace } from '../../src/kernel/named-namespace.ts';

let count = 0;

/** A namespace of this test process alone, with what `ip` says on each line done in it. */
export interface ScratchNamespace {
  name: string;
  path: string;
  /** Runs lines of `ip -batch` inside. */
  ip(...lines: string[]): void;
  /** What `ip -json` answers inside. */
  show<T>(...args: string[]): T;
  remove(): void;
}

export function scratchNamespace(...lines: string[]): ScratchNamespace {
  const name = `kernel-test-${process.pid}-${count++}`;
  const path = `/run/netns/${name}`;
  createNamespace(path);
  const scratch: ScratchNamespace = {
    name,
    path,
    ip: (...more) => void run(['-n', name, '-batch', '-'], more.join('\n')),
    show: (...args) => JSON.parse(run(['-n', name, '-json', ...args]) || '[]'),
    remove: () => removeNamespace(path),
  };
  try {
    if (lines.length > 0) scratch.ip(...lines);
    return scratch;
  } catch (error) {
    scratch.remove();
    throw error;
  }
}

/** A folder that is gone afterwards. */
export function scratchFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(`${tmpdir()}/kernel-test-`);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function run(args: string[], input = ''): string {
  return execFileSync('ip', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}
