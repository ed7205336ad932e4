import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Claim } from '../../runtime/claim.ts';
import { claimFolder } from '../../runtime/claims.ts';
import { containerdTasks } from '../../runtime/containerd-tasks.ts';
import type { AttachmentKey } from '../../runtime/result-cache.ts';
import { type FileStamp, fileStamp, isStillSame } from '../file-stamp.ts';
import type { LastLook } from '../last-look.ts';
import type { Means, Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';
import type { SurveySettings } from '../survey.ts';
import { takeAwayEmpty } from '../take-away-empty.ts';

/**
 * Takes a file of zero bytes out of the cache, where it keeps libcni from every DEL of its attachment, when nothing on
 * the node is known by the container ID in its name. Of one that cannot be told apart from the network's name nothing is
 * done. What libcni is just writing has zero bytes, too: it is moved away first, and back when it has some after that.
 */
export function removeEmptyCache({ settings }: { settings: SurveySettings }, path: string): Mend {
  const line = `- empty file ${path}`;
  const stamp = fileStamp(path);
  return { difference: [line], apply: (means) => remove(settings, path, line, stamp, means) };
}

async function remove(
  settings: SurveySettings,
  path: string,
  line: string,
  stamp: FileStamp | undefined,
  { execution: { signal }, look }: Means,
): Promise<Mended> {
  const account = new MendAccount();
  // A call of the command line for this attachment has its claim under the same name.
  const claim = await Claim.take(claimFolder(settings), basename(path), { signal });
  let isLeft = false;
  try {
    const reason = claim.left === undefined ? reasonToKeep(path, stamp, look()) : 'a call for it was killed';
    isLeft = claim.left !== undefined;
    if (fileStamp(path) === undefined) account.tick(line);
    else if (reason !== undefined) account.leave(line, reason);
    else if (takeAwayEmpty(path, asideOf(path, settings))) account.tick(line);
    else account.leave(line, 'it is being written');
  } finally {
    if (isLeft) claim.abandon();
    else claim.release();
  }
  return account;
}

function reasonToKeep(path: string, stamp: ReturnType<typeof fileStamp>, look: LastLook): string | undefined {
  if (fileStamp(path) === undefined) return undefined;
  if (stamp === undefined || stamp.size > 0 || !isStillSame(path, stamp)) return 'it is not empty any more';
  if (!look.survey.isSettled(stamp.modified)) return 'it is too young to tell: see --min-age';
  const name = basename(path);
  const owners = ownersIn(name, look);
  if (owners.length === 0) return 'its name begins with no network that is known: whose it is cannot be told';
  for (const owner of owners) {
    const addresses = look.survey.attachments().filter((one) => isSame(one, owner));
    const reason =
      look.reasonToKeepDamaged(
        owner,
        addresses.flatMap((one) => one.addresses.map(withoutLength)),
      ) ?? runningAs(owner.containerID);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Every way to read `network-containerID-ifName`, in which there may be further `-`. */
function ownersIn(name: string, { survey }: LastLook): AttachmentKey[] {
  const networks = survey.networks().map((list) => list.name);
  return networks
    .filter((network) => name.startsWith(`${network}-`))
    .flatMap((network) => {
      const parts = name.slice(network.length + 1).split('-');
      return parts.slice(1).map((_, index) => ({
        network,
        containerID: parts.slice(0, index + 1).join('-'),
        ifName: parts.slice(index + 1).join('-'),
      }));
    })
    .filter(({ containerID, ifName }) => containerID !== '' && ifName !== '');
}

function isSame(one: AttachmentKey, other: AttachmentKey): boolean {
  return one.network === other.network && one.containerID === other.containerID;
}

function withoutLength(address: string): string {
  return address.replace(/\/\d+$/, '');
}

/** A process whose control group or command line has the ID, as that of a sandbox and its shim. */
function runningAs(containerID: string): string | undefined {
  const [task] = containerdTasks('/run', containerID);
  if (task !== undefined) return `containerd runs it as process ${task.pid}`;
  const pid = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .find((name) =>
      ['cgroup', 'cmdline'].some((file) => textOf(`/proc/${name}/${file}`).includes(containerID)),
    );
  return pid && `process ${pid} has its ID in its control group or command line`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended.
    return '';
  }
}

/** Not beside it: libcni takes every file there for an attachment. */
function asideOf(path: string, { cacheDir }: SurveySettings): string {
  return join(cacheDir, `.${basename(path)}.empty`);
}
