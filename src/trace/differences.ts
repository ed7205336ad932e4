import { CniError } from '../cni/error.ts';

/** Code of a CHECK that found something to differ from prevResult; 100 and up are a plugin's own. */
const attachmentDiffers = 100;

/** The end of CHECK: all that differs from prevResult in one error. Throws code 100, unless there is nothing. */
export function refuseDifferences(differences: readonly string[], where: 'node' | 'namespace'): void {
  if (differences.length === 0) return;
  const count = differences.length === 1 ? '1 difference' : `${differences.length} differences`;
  const message = `${count} between prevResult and ${where === 'node' ? 'the node' : where}: ${differences.join('; ')}`;
  throw new CniError(attachmentDiffers, message);
}

/** One difference, or none. */
export function differs(does: boolean, message: string): string[] {
  return does ? [message] : [];
}
