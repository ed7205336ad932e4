import type { Observer } from '../cni/observer.ts';
import { NamespaceLostError } from '../kernel/netns.ts';

/** All of it, or nothing: what fails is taken back. Rejects with what `run` does. */
export async function allOrNothing<T>(
  { warn }: Pick<Observer, 'warn'>,
  run: (undo: Undo) => Promise<T>,
): Promise<T> {
  const undo = new Undo();
  try {
    return await run(undo);
  } catch (error) {
    // In the wrong namespace nothing must be undone.
    if (error instanceof NamespaceLostError) throw error;
    await undo.unwind((what, message) => warn('undo-failed', what, `undo ${what}: ${message}`));
    throw error;
  }
}

/** What takes back the steps of a call that may still fail. */
export class Undo {
  readonly #steps: { what: string; run: () => unknown }[] = [];

  /** `what` names the object, for the report of an undo that fails. */
  push(what: string, run: () => unknown): void {
    this.#steps.push({ what, run });
  }

  /**
   * Takes back all steps, the last one first. One that fails is reported and the others have their turn: the error
   * that made this necessary is the one to be thrown.
   */
  async unwind(report: (what: string, message: string) => void): Promise<void> {
    for (const { what, run } of this.#steps.splice(0).reverse()) {
      try {
        await run();
      } catch (error) {
        if (error instanceof NamespaceLostError) throw error;
        report(what, error instanceof Error ? error.message : String(error));
      }
    }
  }
}
