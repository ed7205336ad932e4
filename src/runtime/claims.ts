import type { NetworkList } from '../cni/conflist.ts';
import { Claim, type Share } from './claim.ts';
import { detach } from './detach.ts';
import { identity } from './find-namespace.ts';
import type { RuntimeConfiguration } from './network-list.ts';
import { ResultCache } from './result-cache.ts';

/** Where claims lie: not beside what is cached, since libcni takes every file there for an attachment. */
export function claimFolder({ cacheDir }: Pick<RuntimeConfiguration, 'cacheDir'>): string {
  return `${new ResultCache(cacheDir).folder}/cni-debug`;
}

/**
 * Runs it while nobody else works on the attachment, when what one that was killed had begun of it is taken back. Throws
 * code 11 when others do not end in time, and what that says.
 */
export async function withAttachment<T>(
  list: NetworkList,
  runtime: RuntimeConfiguration,
  run: (claim: Claim) => Promise<T>,
): Promise<T> {
  const name = `${list.name}-${runtime.containerID}-${runtime.ifName}`;
  const claim = await Claim.take(claimFolder(runtime), name, { signal: runtime.signal });
  try {
    await takeBackLeft(claim, runtime);
  } catch (error) {
    claim.abandon();
    throw error;
  }
  return holding(claim, () => run(claim));
}

/** What one that was killed had begun of this very attachment. */
async function takeBackLeft({ left, fd }: Claim, runtime: RuntimeConfiguration): Promise<void> {
  if (left === undefined) return;
  runtime.onWarning?.(
    'an earlier call for this attachment was killed: what it had begun is taken back first',
  );
  const detaching = { ...runtime, inherited: fd };
  for (const attachment of left.attachments) await detach(attachment, left.since, detaching);
}

/**
 * Runs it while those who want the network alone wait, or alone. Throws code 11 when the others do not end in time, and
 * what `signal` says.
 */
export async function withNetwork<T>(
  { name }: NetworkList,
  { cacheDir, signal }: Pick<RuntimeConfiguration, 'cacheDir' | 'signal'>,
  share: Share,
  run: () => Promise<T>,
): Promise<T> {
  return holding(await Claim.take(claimFolder({ cacheDir }), `@${name}`, { signal, share }), run);
}

/** Two who saw that an interface is not there would both make it, under different networks. */
export async function withNamespace<T>(runtime: RuntimeConfiguration, run: () => Promise<T>): Promise<T> {
  const { netns, signal } = runtime;
  const id = identity(netns);
  // There is none: the plugins say better what that means.
  if (id === netns) return run();
  return holding(await Claim.take(claimFolder(runtime), `@${id}`, { signal }), run);
}

async function holding<T>(claim: Claim, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } finally {
    claim.release();
  }
}
