import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { LockTimeoutError, lockFile } from '../../src/kernel/file-lock.ts';
import { type Namespace, openNamespace } from '../../src/kernel/netns.ts';
import { Turn } from '../../src/network/turn.ts';
import { type ScratchNamespace, scratchNamespace } from '../kernel/scratch.ts';
import { requires } from '../requirements.ts';

describe.if(requires('root', 'ip'))('a turn in a network namespace', () => {
  let scratch: ScratchNamespace;
  let opened: Namespace[];
  const open = (): Namespace => {
    const namespace = openNamespace(scratch.path);
    opened.push(namespace);
    return namespace;
  };
  /** As another process would. */
  const lock = (): void => {
    const { fd, path } = open();
    lockFile(fd, { path, timeoutMs: 0 });
  };
  beforeEach(() => {
    scratch = scratchNamespace();
    opened = [];
  });
  afterEach(() => {
    for (const namespace of opened) namespace.close();
    scratch.remove();
  });

  test('is nobody else’s until it ends', () => {
    const turn = new Turn(open());
    turn.take();
    turn.take();
    expect(lock).toThrow(LockTimeoutError);
    turn.end();
    expect(lock).not.toThrow();
  });

  test('of another namespace is another', () => {
    const other = scratchNamespace();
    try {
      const elsewhere = openNamespace(other.path);
      opened.push(elsewhere);
      const turn = new Turn(elsewhere);
      turn.take();
      expect(lock).not.toThrow();
      turn.end();
    } finally {
      other.remove();
    }
  });

  test('that somebody keeps is not waited for without end, and is no error', () => {
    lock();
    const turn = new Turn(open());
    turn.take();
    turn.end();
    expect(lock).toThrow(LockTimeoutError);
  });

  test('that was not taken can end', () => {
    new Turn(undefined).end();
  });
});
