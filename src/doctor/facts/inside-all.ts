import { ENOENT } from '../../kernel/errno.ts';
import { NotNetworkNamespaceError } from '../../kernel/netns.ts';
import { SystemError } from '../../kernel/system-error.ts';
import { type Contents, contentsIn } from '../../node/contents.ts';
import { everyNamespace, type KnownNamespace } from '../../node/every-namespace.ts';
import { identity } from '../../runtime/find-namespace.ts';
import type { Survey } from '../survey.ts';
import { Unseen } from '../unseen.ts';

/** A namespace of this node, and what is in it. */
export interface SeenNamespace {
  readonly namespace: KnownNamespace;
  readonly contents: Contents;
}

/**
 * Every namespace but the node's own. Of one that cannot be entered that is said; one that has gone meanwhile is gone. But
 * only its path may have gone, as when the process ended that it was first found by: then it is looked for by another.
 */
export function insideAll(survey: Survey): readonly SeenNamespace[] {
  return survey.once('inside all', 'network namespaces', () =>
    survey
      .each(survey.namespaces(), (namespace) => {
        const contents = unlessGone(() =>
          survey.once(`inside ${namespace.id}`, `namespace ${namespace.path}`, () => lookInto(namespace)),
        );
        return contents === undefined ? [] : [{ namespace, contents }];
      })
      .flat(),
  );
}

function lookInto(namespace: KnownNamespace): Contents {
  let thrown: unknown;
  let known: KnownNamespace | undefined = namespace;
  for (let attempt = 1; attempt <= attempts && known !== undefined; attempt++) {
    for (const path of [known.path, ...known.mounts, ...known.pids.map((pid) => `/proc/${pid}/ns/net`)]) {
      try {
        if (identity(path) === known.id) return contentsIn(path);
      } catch (error) {
        if (!isGone(error)) throw error;
        thrown = error;
      }
    }
    known = foundAgain(known);
  }
  throw thrown ?? new SystemError('stat', ENOENT, namespace.path);
}

/** How often a namespace may be found by one path after the other that is gone right then. */
const attempts = 5;

function foundAgain({ id }: KnownNamespace): KnownNamespace | undefined {
  return everyNamespace().namespaces.find((one) => one.id === id);
}

/** Whether there may be namespaces, or things in them, that `insideAll` does not know of. */
export function isPartial(survey: Survey): boolean {
  insideAll(survey);
  return ['network namespaces', ...survey.namespaces().map(({ path }) => `namespace ${path}`)].some(
    (object) => survey.hasOverlooked(object),
  );
}

/** Undefined where there is no namespace any more. Throws Unseen. */
export function insideIfThere(survey: Survey, netns: string): Contents | undefined {
  return unlessGone(() => survey.inside(netns));
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Unseen && isGone(error.cause)) return undefined;
    throw error;
  }
}

function isGone(cause: unknown): boolean {
  if (cause instanceof NotNetworkNamespaceError) return true;
  return cause instanceof SystemError && ['ENOENT', 'ENOTDIR', 'ESRCH'].includes(cause.code);
}
