import type { Link } from '../../kernel/netlink/link.ts';
import type { BridgeFacts } from '../plugin-facts.ts';
import type { Survey } from '../survey.ts';
import { type MadeAttachment, madeAttachments } from './made-attachments.ts';

/** An attachment of a container to a bridge of the node. */
export interface Bridged {
  readonly made: MadeAttachment;
  readonly facts: BridgeFacts;
  /** The bridge, as its configuration names it; undefined where there is no such link. */
  readonly bridge: Link | undefined;
  /** The node's end of its veth; undefined where there is none of the name that ADD has answered. */
  readonly port: Link | undefined;
}

/** Every attachment that a plugin `bridge` has made, of which the container is there. */
export function bridgedAttachments(survey: Survey): readonly Bridged[] {
  return survey.once('bridged attachments', 'attachments', () => {
    const { links } = survey.host();
    const byName = new Map(links.map((link) => [link.name, link]));
    return madeAttachments(survey).flatMap((made) =>
      made.plugins.flatMap(({ type, document }) => {
        const facts = survey.settings.facts.bridge(type, document);
        if (facts === undefined) return [];
        return [{ made, facts, bridge: byName.get(facts.bridge), port: portOf(made, facts, byName) }];
      }),
    );
  });
}

/** The interface of the node that is no bridge, and no gateway in a VLAN. */
function portOf(
  { result }: MadeAttachment,
  { bridge }: BridgeFacts,
  byName: ReadonlyMap<string, Link>,
): Link | undefined {
  for (const { name = '', sandbox } of result.interfaces ?? []) {
    const link = sandbox || name === bridge ? undefined : byName.get(name);
    if (link?.kind === 'veth') return link;
  }
  return undefined;
}
