import { CniError } from '../cni/error.ts';
import { NamespaceLostError } from '../kernel/netns.ts';

/** Runs all of them in order, whatever they throw, and then throws the first error with the others in its details. */
export async function attemptAll(...operations: (() => unknown)[]): Promise<void> {
  const errors: CniError[] = [];
  for (const operation of operations) {
    try {
      await operation();
    } catch (thrown) {
      // Whatever came next would be done to another namespace than it is meant for.
      if (thrown instanceof NamespaceLostError) throw thrown;
      errors.push(CniError.from(thrown));
    }
  }
  const [first, ...others] = errors;
  if (first === undefined) return;
  // A signal ends all of them with the same words.
  const more = others.map(({ message }) => message).filter((message) => message !== first.message);
  const details = [first.details, ...more].filter((text) => text !== '');
  throw new CniError(first.code, first.message, { details: details.join('; '), cause: first });
}
