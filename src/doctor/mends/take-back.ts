import { takeBackAbandoned } from '../../runtime/abandoned.ts';
import { claimFolder } from '../../runtime/claims.ts';
import { leftClaims } from '../../runtime/left-claims.ts';
import type { AttachmentKey } from '../../runtime/result-cache.ts';
import type { Means, Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';
import type { SurveySettings } from '../survey.ts';

/**
 * Takes back what calls of `cni-debug` had begun that were killed; undefined when there are none. They say so themselves,
 * and who still works on one has it locked: there is nothing to look at again. Throws SystemError.
 */
export function takeBackCalls({ settings }: { settings: SurveySettings }): Mend | undefined {
  const difference = abandonedCalls(settings);
  return difference.length === 0
    ? undefined
    : { difference, apply: (means) => takeBack(difference, settings, means) };
}

async function takeBack(
  difference: readonly string[],
  settings: SurveySettings,
  { execution }: Means,
): Promise<Mended> {
  const account = new MendAccount();
  const reasons: string[] = [];
  const onWarning = (message: string) => {
    if (message.includes('the next call tries again')) reasons.push(message);
    execution.onWarning?.(message);
  };
  await takeBackAbandoned({ ...execution, onWarning });
  const remaining = new Set(abandonedCalls(settings));
  for (const line of difference) {
    if (remaining.has(line)) account.leave(line, reasons.join('; ') || 'another call has it now');
    else account.tick(line);
  }
  return account;
}

function abandonedCalls({ cacheDir }: SurveySettings): string[] {
  return leftClaims(claimFolder({ cacheDir })).flatMap(({ left }) => left.attachments.map(lineOf));
}

function lineOf({ network, containerID, ifName }: AttachmentKey): string {
  return `- call that was killed: ${containerID} ${ifName} in network ${network}`;
}
