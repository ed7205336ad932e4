import { ownerHash, parseOwner } from '../../network/attachment.ts';
import { planPruning } from '../../network/pruning.ts';
import { Ruleset } from '../../network/ruleset.ts';
import { planNat, type WantedNat } from '../../network/wanted-nat.ts';
import { callsAtWork } from '../../node/calls-at-work.ts';
import { type AttachmentState, attachmentState } from '../../runtime/attachment-state.ts';
import { ResultCache } from '../../runtime/result-cache.ts';
import { ComeBackSince } from '../come-back-since.ts';
import type { MadeAttachment } from '../facts/made-attachments.ts';
import { atWork } from '../last-look.ts';
import type { Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';
import { Survey, type SurveySettings } from '../survey.ts';

/** A container that lives, and what plugins of ours have made for it that is not whole any more. */
export interface LostNat {
  readonly made: MadeAttachment;
  readonly wanted: WantedNat;
  /** In words. */
  readonly missing: readonly string[];
}

/** Answers what has been lost, as the node is in this survey. */
export type FindLostNat = (survey: Survey) => readonly LostNat[];

/**
 * Puts back what a reload of the firewall took from containers that live, as their ADD has made it: in one transaction, or
 * for each by itself when something keeps one from it. What another has meanwhile is never taken from him.
 */
export function restoreNat(
  { settings }: { settings: SurveySettings },
  lost: readonly LostNat[],
  find: FindLostNat,
): Mend {
  return { difference: [...new Set(lost.map(lineOf))], apply: () => restore(lost, settings, find) };
}

async function restore(
  lost: readonly LostNat[],
  settings: SurveySettings,
  find: FindLostNat,
): Promise<Mended> {
  const account = new MendAccount();
  const survey = new Survey(settings);
  // Who is made anew after this has made something after this.
  for (const look of [() => survey.host(), () => survey.leases(), () => survey.cache()]) look();
  const again = new Map(find(survey).map((one) => [lineOf(one), one]));
  const calls = callsAtWork();
  const going: LostNat[] = [];
  for (const line of new Set(lost.map(lineOf))) {
    const made = lost.find((one) => lineOf(one) === line)?.made;
    const one = again.get(line);
    const reason = atWork(calls, made?.containerID) ?? whyNoMore(made, settings);
    if (reason !== undefined) account.leave(line, reason);
    else if (one === undefined) account.tick(line);
    else if (one.missing.some(isOfAnother)) account.leave(line, one.missing.filter(isOfAnother).join('; '));
    else going.push(one);
  }
  const ruleset = new Ruleset();
  try {
    const made = makeAll(ruleset, going, account);
    await takeBackOfEnded(ruleset, made, survey, account);
  } finally {
    ruleset.close();
  }
  return account;
}

/** A port, or an address that is another's by now: that is not put back, but taken away. */
function isOfAnother(missing: string): boolean {
  return missing.includes(' belongs to another: ');
}

function makeAll(ruleset: Ruleset, going: readonly LostNat[], account: MendAccount): readonly LostNat[] {
  try {
    for (const one of going) plan(ruleset, one);
    ruleset.commit();
    return going;
  } catch {
    // Together or not at all; what is wrong with one is none of the others' business.
  }
  return going.filter((one) => {
    try {
      plan(ruleset, one);
      ruleset.commit();
      return true;
    } catch (error) {
      account.fail(lineOf(one), error);
      return false;
    }
  });
}

function plan(ruleset: Ruleset, { made, wanted }: LostNat): void {
  // Whoever has the port has it, also when he is gone: then that is a finding of its own.
  planNat(ruleset, made, wanted, { isGone: () => false, takenOver() {} });
}

/**
 * A DEL may have looked before our elements were there, and have found nothing to remove: who is gone by now loses them
 * again, when no plugin works for it any more.
 */
async function takeBackOfEnded(
  ruleset: Ruleset,
  made: readonly LostNat[],
  survey: Survey,
  account: MendAccount,
): Promise<void> {
  const { settings } = survey;
  const deadline = performance.now() + patienceMs;
  const isBusy = (one: LostNat) => atWork(callsAtWork(), one.made.containerID) !== undefined;
  while (made.some(isBusy) && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const owners = new Map(made.map((one) => [ownerHash(one.made), one.made]));
  planPruning(ruleset, (elements) => {
    // Between the last plugin of its ADD and what the runtime writes down it has no cache.
    const since = new ComeBackSince(survey);
    const isOver = new Map(
      [...owners].map(([hash, one]) => {
        const isBack = since.reason(one) !== undefined;
        return [hash, !isBack && ['detached', 'gone'].includes(stateOf(one, settings))];
      }),
    );
    return elements.filter(({ element }) => isOver.get(parseOwner(element.comment ?? '')?.ownerHash ?? ''));
  });
  ruleset.commit();
  for (const one of made) {
    const reason = whyNoMore(one.made, settings);
    if (reason === undefined) account.tick(lineOf(one));
    else account.leave(lineOf(one), reason);
  }
}

/** How long a DEL may take. */
const patienceMs = 5000;

/** Why nothing is put back for the container. */
function whyNoMore(made: MadeAttachment | undefined, settings: SurveySettings): string | undefined {
  const state = made === undefined ? 'detached' : stateOf(made, settings);
  if (state === 'alive') return undefined;
  if (state === 'detached') return 'it was detached meanwhile';
  return state === 'damaged'
    ? 'what is cached of it cannot be read'
    : `its interface is not there (${state})`;
}

/** By its cached attachment, as it is now. */
function stateOf(
  made: MadeAttachment,
  { cacheDir }: SurveySettings,
): AttachmentState | 'detached' | 'damaged' {
  try {
    const entry = new ResultCache(cacheDir).find(made);
    return entry === undefined ? 'detached' : attachmentState({ ...entry.attachment, since: entry.since });
  } catch {
    // Whoever cannot be told to be gone is not.
    return 'damaged';
  }
}

function lineOf({ made: { containerID, ifName, network }, wanted }: LostNat): string {
  const { masquerade, spoofCheck, hostPorts } = wanted;
  const ports = hostPorts?.ports.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`).join(', ');
  const what = [
    ...(masquerade === undefined ? [] : ['masquerade']),
    ...(spoofCheck === undefined ? [] : ['check of the MAC address']),
    ...(ports === undefined ? [] : [`host port ${ports}`]),
  ];
  return `+ ${what.join(' and ')} of ${containerID} ${ifName} in network ${network}`;
}
