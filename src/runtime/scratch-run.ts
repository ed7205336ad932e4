import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { NetworkList } from '../cni/conflist.ts';
import { containerIDComplaint } from '../cni/environment.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { stringifyJson } from '../cni/json.ts';
import { EEXIST } from '../kernel/errno.ts';
import { createNamespace } from '../kernel/named-namespace.ts';
import { openNamespace, runIn } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';
import { takeBack } from './abandoned.ts';
import { Claim } from './claim.ts';
import { claimFolder } from './claims.ts';
import { addNetworkList, type RuntimeConfiguration } from './network-list.ts';

/** A scratch namespace and what is attached to it. */
export interface ScratchRun extends Omit<RuntimeConfiguration, 'netns' | 'ifName'> {
  /** Attached in order, as eth0, eth1, and so on. */
  readonly lists: readonly NetworkList[];
}

/**
 * Makes a namespace, attaches it to the networks, runs `use`, and takes everything back, whatever happens; what is left
 * when this process is killed, the next one takes back. Rejects with what `use` does, with the first error of an ADD or a
 * DEL, and with a SystemError (EEXIST) where the namespace is there already.
 */
export async function withScratchNamespace<T>(
  run: ScratchRun,
  use: (netns: string) => Promise<T>,
): Promise<T> {
  const { lists, containerID, args = '', capabilityArgs = {}, cniPath } = run;
  const netns = `/var/run/netns/${containerID}`;
  const attachments = lists.map((list, index) => ({
    ...{ network: list.name, containerID, ifName: `eth${index}`, netns, args, capabilityArgs },
    ...{ config: stringifyJson(list.document), result: undefined },
  }));
  const complaint = containerIDComplaint(containerID);
  if (complaint !== undefined)
    throw new CniError(
      ErrorCode.invalidEnvironment,
      `container ID ${JSON.stringify(containerID)} ${complaint}`,
    );
  const claim = await claimOf(run);
  const begun = { attachments, cniPath, netns };
  try {
    // Before it is said to be ours: what is, is taken away.
    if (existsSync(netns)) throw new SystemError('open', EEXIST, netns);
    claim.begin(begun);
  } catch (error) {
    claim.release();
    throw error;
  }
  // An ADD that fails has taken itself back.
  let added = 0;
  let made: string | undefined;
  const outcome = await settle(async () => {
    createNamespace(netns);
    made = netns;
    for (const list of lists) {
      await addNetworkList(list, { ...run, netns, ifName: `eth${added}` });
      added += 1;
    }
    return use(netns);
  });
  const done = { ...begun, attachments: attachments.slice(0, added), netns: made };
  // A signal has ended what was going on, and not its removal.
  const removal = await settle(() => takeBack(done, { ...run, signal: undefined }));
  if ('error' in removal) claim.abandon();
  else claim.release();
  const failed = [outcome, removal].find((one) => 'error' in one);
  if (failed !== undefined && 'error' in failed) throw failed.error;
  return (outcome as { value: T }).value;
}

/** When what one that was killed had begun under that ID is taken back. */
async function claimOf(run: ScratchRun): Promise<Claim> {
  const claim = await Claim.take(claimFolder(run), run.containerID, { signal: run.signal });
  try {
    if (claim.left !== undefined) await takeBack(claim.left, { ...run, signal: undefined });
    return claim;
  } catch (error) {
    claim.abandon();
    throw error;
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

async function settle<T>(run: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error };
  }
}

/** Starts a program in a namespace, with our own stdin, stdout and stderr. Throws SystemError. */
export function spawnIn(netns: string, [command = '', ...args]: readonly string[]): ChildProcess {
  const { spawn }: typeof import('node:child_process') = require('node:child_process');
  const namespace = openNamespace(netns);
  try {
    return runIn(namespace, (() =>
      spawn(command, args, { stdio: 'inherit' })) as () => never) as ChildProcess;
  } finally {
    namespace.close();
  }
}
