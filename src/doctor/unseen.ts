/** Something cannot be looked at; a rule that needs it says nothing of it, and nobody says that it is sound. */
export class Unseen extends Error {
  override readonly name = 'Unseen';

  constructor(
    /** `/var/lib/cni/results`, `the namespace of 3f2a`. */
    readonly object: string,
    /** Why not, and what would help. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${object}: ${reason}`, options);
  }
}

/** What `look` answers; an error of it says that the object was not seen. */
export function see<T>(object: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof Unseen) throw error;
    throw new Unseen(object, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
