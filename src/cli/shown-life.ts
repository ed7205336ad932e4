import type { Life, Operation } from '../trace/life.ts';
import { visible } from '../trace/visible-text.ts';
import { note } from './terminal.ts';

/** An attachment, and those of its operations that are to be seen. */
export interface ShownLife {
  readonly life: Life;
  readonly operations: readonly Operation[];
}

/** What `--tail` keeps back. */
export function noteWhatIsNotShown(lives: readonly ShownLife[]): void {
  for (const { life, operations } of lives) {
    const left = life.operations.length - operations.length;
    if (left > 0)
      note(
        'trace',
        `${left} operations of ${visible(life.ifName)} are not shown: --tail ${life.operations.length} does`,
      );
  }
}
