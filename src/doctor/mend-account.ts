import type { Mended } from './mend.ts';

/** What became of each line of a difference. */
export class MendAccount implements Mended {
  readonly done: string[] = [];
  readonly left: string[] = [];

  /** It is so now; whoever has done it. */
  tick(line: string): void {
    this.done.push(line);
  }

  /** It is as it was: `- lease 10.22.0.5 of 3f2a eth0` is left out, because ... */
  leave(line: string, reason: string): void {
    this.left.push(`${line.replace(/^[-+] /, '')}: ${reason}`);
  }

  /** What fails is left, with what it failed with. */
  attempt(line: string, act: () => void): void {
    try {
      act();
      this.tick(line);
    } catch (error) {
      this.fail(line, error);
    }
  }

  /** As `leave`, of what was tried. */
  fail(line: string, error: unknown): void {
    this.leave(line, error instanceof Error ? error.message : String(error));
  }
}
