import { NotNetworkNamespaceError } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';
import { type Contents, contentsIn } from '../node/contents.ts';
import { everyNamespace, type KnownNamespace } from '../node/every-namespace.ts';
import { identity } from '../runtime/find-namespace.ts';
import type { Survey } from './survey.ts';

/** A namespace of this node, and what is in it. */
export interface SeenNamespace {
  readonly namespace: KnownNamespace;
  readonly contents: Contents;
}

/**
 * What is in every namespace of this node but its own. One that goes away meanwhile has nothing any more; but only its
 * path may have gone, as when the process ended that it was first found by, and then it is looked for by another. Throws
 * Unseen when they cannot be looked for; of one that cannot be entered that is said.
 */
export function namespaceContents(survey: Survey): readonly SeenNamespace[] {
  return survey.once('namespace contents', 'network namespaces', () =>
    survey.each(survey.namespaces(), (namespace) => ({
      namespace,
      contents: survey.once(`inside ${namespace.id}`, `namespace ${namespace.path}`, () => look(namespace)),
    })),
  );
}

function look(namespace: KnownNamespace): Contents {
  for (let known: KnownNamespace | undefined = namespace; known !== undefined; known = foundAgain(known)) {
    const contents = lookBy(known);
    if (contents !== undefined) return contents;
  }
  return { links: [], addresses: [], routes: [] };
}

/** Undefined when no path leads to it any more. */
function lookBy({ id, path, mounts, pids }: KnownNamespace): Contents | undefined {
  for (const candidate of [path, ...mounts, ...pids.map((pid) => `/proc/${pid}/ns/net`)]) {
    try {
      if (identity(candidate) === id) return contentsIn(candidate);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return undefined;
}

function isGone(error: unknown): boolean {
  if (error instanceof NotNetworkNamespaceError) return true;
  return error instanceof SystemError && ['ENOENT', 'ENOTDIR', 'ESRCH'].includes(error.code);
}

function foundAgain({ id }: KnownNamespace): KnownNamespace | undefined {
  return everyNamespace().namespaces.find((one) => one.id === id);
}
