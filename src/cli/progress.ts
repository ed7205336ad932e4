import yoctoSpinner from 'yocto-spinner';
import { note } from './terminal.ts';

/** What is not over by then is worth a word. */
const patienceMs = 1000;

/** Says on stderr what a verb is waiting for, when that takes over a second and a person looks; else nothing. */
export class Progress {
  readonly #spinner = yoctoSpinner({ stream: process.stderr });
  #timer: NodeJS.Timeout | undefined;
  #text = '';
  #isOver = false;
  readonly #since = performance.now();

  constructor(private readonly verb: string) {}

  /** What is being waited for from now on: `ADD of plugin 2 of 3 ("portmap")`. */
  show(text: string): void {
    if (!process.stderr.isTTY) return;
    this.#text = text;
    if (this.#spinner.isSpinning) this.#spinner.text = text;
    this.#timer ??= setTimeout(() => this.#spinner.start(this.#text), patienceMs);
  }

  /** The same for work that lets no timer run: to be called again and again while it goes on. */
  tick(text: string): void {
    if (!process.stderr.isTTY || this.#isOver || performance.now() - this.#since < patienceMs) return;
    if (!this.#spinner.isSpinning) this.#spinner.start(text);
  }

  /** Something that is worth knowing and no error, on a line of its own. */
  note(message: string): void {
    const wasSpinning = this.#spinner.isSpinning;
    if (wasSpinning) this.#spinner.stop();
    note(this.verb, message);
    if (wasSpinning) this.#spinner.start();
  }

  /** Takes the line away, for good where somebody ticks. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#spinner.isSpinning) this.#spinner.stop();
  }
}

/** Runs a part of a verb with its progress. */
export async function withProgress<T>(verb: string, run: (progress: Progress) => Promise<T>): Promise<T> {
  const progress = new Progress(verb);
  try {
    return await run(progress);
  } finally {
    progress.stop();
  }
}
