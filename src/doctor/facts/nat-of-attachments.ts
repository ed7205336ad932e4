import type { WantedNat } from '../../network/wanted-nat.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';
import { containerText, type MadeAttachment, madeAttachments } from './made-attachments.ts';

/** What a plugin of its chain has to keep in nftables for an attachment, if it is ours. */
export interface NatOfAttachment {
  readonly made: MadeAttachment;
  readonly wanted: WantedNat;
}

/** By the configurations that the attachments were made with; without those that ask for none. */
export function natOfAttachments(survey: Survey): readonly NatOfAttachment[] {
  return survey.once('nat of attachments', 'attachments', () => {
    const linkOf = bridgesByPort(survey);
    return survey
      .each(madeAttachments(survey), (made) =>
        see(`the configuration of ${containerText(made)}`, () =>
          made.plugins.flatMap(({ type, document }) => {
            const linkTo = () => linkOf(made);
            const wanted = survey.settings.facts.nat(type, document, { ...made, linkTo });
            return wanted === undefined || Object.keys(wanted).length === 0 ? [] : [{ made, wanted }];
          }),
        ),
      )
      .flat();
  });
}

/** By the port that is there: a route may lead elsewhere today. */
function bridgesByPort(survey: Survey): (made: MadeAttachment) => string | undefined {
  const { links } = survey.host();
  const nameOf = new Map(links.map(({ index, name }) => [index, name]));
  const masters = new Map(
    links.flatMap(({ kind, name, master }) =>
      kind === 'veth' && master !== undefined ? [[name, nameOf.get(master)] as const] : [],
    ),
  );
  return ({ result: { interfaces = [] } }) =>
    interfaces.map(({ name = '', sandbox }) => (sandbox ? undefined : masters.get(name))).find(Boolean);
}
