import { kill, signal as setHandler } from './libc.ts';
import { SystemError } from './system-error.ts';

/** include/uapi/asm-generic/signal-defs.h */
const SIG_DFL = null;

/**
 * Ends this process by a signal, as one that is hit by it: what the JavaScript runtime does with SIGSEGV and its like is
 * put aside first. Throws SystemError; returns only where the signal is blocked, or ends nobody.
 */
export function raiseSignal(number: number): void {
  // SIGKILL cannot be handled: there is nothing to put aside, and the kernel says so.
  setHandler(number, SIG_DFL);
  const answer = kill(process.pid, number);
  if (answer < 0) throw new SystemError('kill', -answer, `signal ${number}`);
}
