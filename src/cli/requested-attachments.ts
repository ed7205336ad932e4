import type { KnownAttachment } from '../node/every-attachment.ts';
import { findNamespace, identity } from '../runtime/find-namespace.ts';

/**
 * The attachments that a person means by a word: those of a container ID or of the beginning of one, of a namespace or what
 * it may be called, or of a pod.
 */
export function attachmentsOf(word: string, attachments: readonly KnownAttachment[]): KnownAttachment[] {
  const exact = attachments.filter(({ containerID, pod }) => containerID === word || pod === word);
  if (exact.length > 0) return exact;
  const begun = attachments.filter(({ containerID, pod = '' }) => {
    return containerID.startsWith(word) || pod.endsWith(`/${word}`);
  });
  if (begun.length > 0) return begun;
  const id = namespaceCalled(word);
  return attachments.filter(({ netns }) => netns !== '' && identity(netns) === id);
}

function namespaceCalled(word: string): string | undefined {
  try {
    return identity(findNamespace(word).netns);
  } catch {
    return undefined;
  }
}
