import yoctoSpinner from 'yocto-spinner';

/** What is not over by then is worth a word. */
const patienceMs = 1000;

/** Says on stderr what a verb is waiting for, when that takes over a second and a person looks; else nothing. */
export class Progress {
  readonly #spinner = yoctoSpinner({ stream: process.stderr });
  #timer: NodeJS.Timeout | undefined;

  /** What is being waited for from now on: `plugin 2 of 3 ("portmap"): ADD`. */
  show(text: string): void {
    this.#spinner.text = text;
    if (!process.stderr.isTTY || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#spinner.start(), patienceMs);
  }

  /** Takes the line away. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#spinner.stop();
  }
}
