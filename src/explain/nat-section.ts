import { chainText } from '../kernel/nftables/chain.ts';
import { fieldsText } from '../kernel/nftables/data-type.ts';
import { type Element, listElements } from '../kernel/nftables/element.ts';
import { listTableRules, type Rule } from '../kernel/nftables/rule.ts';
import { listSets, type NftSet, type SetType } from '../kernel/nftables/set.ts';
import { listTables } from '../kernel/nftables/table.ts';
import { type Attachment, ownerHash } from '../network/attachment.ts';
import { digest } from '../network/digest.ts';
import { iptablesHostPorts, iptablesLeftovers } from '../network/iptables-leftovers.ts';
import { Ruleset } from '../network/ruleset.ts';

/**
 * What nftables has for an attachment: our elements, by the owner in their comment, and the reference's rules, by theirs;
 * of iptables what it keeps in nftables. Throws NetlinkError and SystemError.
 */
export function natLines(owner: Attachment): string[] {
  const ruleset = new Ruleset();
  try {
    return [
      ...ourElements(ruleset, owner),
      ...referenceRules(ruleset, owner),
      ...[...iptablesLeftovers(ruleset, owner), ...iptablesHostPorts(ruleset, owner)].map(
        ({ object }) => `iptables: ${object} (the reference's)`,
      ),
    ];
  } finally {
    ruleset.close();
  }
}

function ourElements({ nftables }: Ruleset, owner: Attachment): string[] {
  const sets = listSets(nftables).filter(({ table }) => table === OUR_TABLE);
  return sets.flatMap((found) => {
    const set = withTypes(found);
    if (set === undefined) return [`${found.family} ${found.set}: of types that we do not know`];
    const own = listElements(nftables, set, `-${ownerHash(owner)} `);
    return own.map((element) => `${set.set}: ${fieldsText(set.key, element.key)}${leadsTo(set, element)}`);
  });
}

function withTypes({ key, data, ...name }: NftSet): SetType | undefined {
  return key === undefined ? undefined : { ...name, key, ...(data === undefined ? {} : { data }) };
}

function leadsTo({ data: types }: SetType, { data }: Element): string {
  if (data === undefined || types === undefined) return '';
  if (types === 'verdict' || 'kind' in data) return 'chain' in data ? ` -> ${String(data.chain)}` : '';
  return ` -> ${fieldsText(types, data)}`;
}

/** Comments of containernetworking/plugins: see `reference-leftovers.ts`. */
function referenceRules({ nftables }: Ruleset, { network, containerID, ifName }: Attachment): string[] {
  const hash = (text: string) => digest('sha512', text).slice(0, 16);
  const masquerade = `${hash(network)}-${hash(`${ifName}:${containerID}`)}, `;
  const isOf = ({ comment = '' }: Rule) =>
    comment.startsWith(masquerade) ||
    comment === containerID ||
    comment === `macspoofchk-${containerID}-${ifName}`;
  return listTables(nftables)
    .filter(({ table }) => REFERENCE_TABLES.includes(table))
    .flatMap((table) => listTableRules(nftables, table))
    .filter(isOf)
    .map((rule) => `rule ${rule.handle} of chain ${chainText(rule)} (the reference's)`);
}

const OUR_TABLE = 'cni_debug';
const REFERENCE_TABLES = ['cni_plugins_masquerade', 'cni_hostport', 'nat'];
