import { CniError } from '../cni/error.ts';
import { failureRecord } from '../node/journals.ts';
import type { RuntimeConfiguration } from '../runtime/network-list.ts';
import type { Attachment } from './attachment.ts';
import { chainFailure } from './chain-failure.ts';
import { executionOf, type NetworkOptions } from './network-options.ts';
import { withProgress } from './progress.ts';

/** Runs one command of a chain for an attachment, with its progress. What it fails with names its record. */
export function callChain<T>(
  verb: string,
  attachment: Attachment,
  options: NetworkOptions,
  run: (runtime: RuntimeConfiguration) => Promise<T>,
): Promise<T> {
  const since = new Date();
  return withProgress(verb, async (progress) => {
    try {
      return await run({ ...executionOf(options, progress), ...attachment });
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      throw chainFailure(error, failureRecord(attachment.list, attachment, since));
    }
  });
}
