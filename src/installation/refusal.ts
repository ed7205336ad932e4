/** What is not done, because something would be lost by it: the message says what, the advice how it is done after all. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    message: string,
    readonly advice: readonly string[] = [],
    /** What somebody changed, as a unified difference. */
    readonly difference: readonly string[] = [],
  ) {
    super(message);
  }
}
