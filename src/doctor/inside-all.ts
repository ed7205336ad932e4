import { NotNetworkNamespaceError } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';
import type { Contents } from '../node/contents.ts';
import type { KnownNamespace } from '../node/every-namespace.ts';
import type { Survey } from './survey.ts';
import { Unseen } from './unseen.ts';

/** A namespace of this node, and what is in it. */
export interface SeenNamespace {
  readonly namespace: KnownNamespace;
  readonly contents: Contents;
}

/** Every namespace but the node's own. Of one that cannot be entered that is said; one that has gone meanwhile is gone. */
export function insideAll(survey: Survey): readonly SeenNamespace[] {
  return survey.once('inside all', 'network namespaces', () =>
    survey
      .each(survey.namespaces(), (namespace) => {
        const contents = insideIfThere(survey, namespace.path);
        return contents === undefined ? [] : [{ namespace, contents }];
      })
      .flat(),
  );
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
  try {
    return survey.inside(netns);
  } catch (error) {
    if (error instanceof Unseen && isGone(error.cause)) return undefined;
    throw error;
  }
}

function isGone(cause: unknown): boolean {
  if (cause instanceof NotNetworkNamespaceError) return true;
  return cause instanceof SystemError && ['ENOENT', 'ENOTDIR', 'ESRCH'].includes(cause.code);
}
