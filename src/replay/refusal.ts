/** A call that cannot be replayed, and what to do about it. */
export class ReplayRefusal extends Error {
  override readonly name = 'ReplayRefusal';

  constructor(
    message: string,
    /** A line each. */
    readonly advice: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
