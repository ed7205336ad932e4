import { NamespaceLostError } from '../kernel/netns.ts';

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
