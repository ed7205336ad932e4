import type { Owner } from '../../ipam/lease-owner.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { type AddressHolder, addressHolders } from '../facts/address-holders.ts';
import { isBeforeBoot } from '../facts/boot.ts';
import { type DamagedLease, damagedLeases } from '../facts/lease-damage.ts';
import { ownerOf, refillLease, removeEmptyLease } from '../mends/empty-leases.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const damagedLease: Rule = {
  id: 'D004',
  name: 'damaged-lease',
  severity: 'warning',
  summary: 'The lease of an address says no owner: its file is empty, or of another format.',
  meaning: 'no DEL frees the address, since it looks for an owner: no other pod ever gets it',
  *find(survey) {
    const leases = damagedLeases(survey);
    if (leases.length === 0) return;
    const holders = addressHolders(survey);
    for (const lease of leases) yield found(lease, holders.get(lease.address), survey);
  },
};

function found(lease: DamagedLease, holders: readonly AddressHolder[] | undefined, survey: Survey): Draft {
  const { address, path, since, text } = lease;
  const common = {
    object: `lease ${address}`,
    cause: causeOf(lease),
    since,
    follows: isBeforeBoot(survey, since) ? [{ id: 'D013' }] : [],
  };
  const file = {
    source: `${text === undefined ? 'ls -ld' : 'od -c'} ${shellWord(path)}`,
    text: contentOf(text),
  };
  if (holders === undefined) {
    const mend = text === '' ? { mend: removeEmptyLease(lease) } : {};
    return { ...common, evidence: [file], ...removal(lease), ...mend };
  }
  const owner = ownerOf(lease, survey);
  const isRefilled = text === '' && owner !== undefined;
  const held = holders.map(({ netns, link }) => ({
    source: `nsenter --net=${shellWord(netns)} ip address`,
    text: `${address} ${link}`,
  }));
  return {
    ...common,
    severity: 'error',
    meaning: 'a container that lives has the address, and its lease does not say so: DEL will not free it',
    evidence: [file, ...held],
    ...rewriting(lease, owner),
    ...(isRefilled ? { mend: refillLease(lease, owner) } : {}),
  };
}

function causeOf({ text, path }: DamagedLease): string {
  if (text === undefined) return `${path} is a folder`;
  return text === '' ? `${path} is empty` : `${path} names no owner`;
}

/** White space around it was taken away. */
function contentOf(text: string | undefined): string {
  if (text === undefined) return 'a folder';
  return text === '' ? 'nothing' : JSON.stringify(text.slice(0, 200));
}

/** Nobody has the address. */
function removal({ path, text }: DamagedLease): Pick<Draft, 'fix' | 'undo'> {
  const word = shellWord(path);
  if (text === undefined) return { fix: [`rmdir ${word}`], undo: [`mkdir ${word}`] };
  if (text === '') return { fix: ['cni-debug doctor --fix', `rm ${word}`], undo: [`: >${word}`] };
  return { fix: [`mv ${word} ${word}.damaged`], undo: [`mv ${word}.damaged ${word}`] };
}

/** Whose address it is, its file may say again. */
function rewriting({ path, text }: DamagedLease, owner: Owner | undefined): Pick<Draft, 'fix' | 'undo'> {
  if (owner === undefined || text === undefined)
    return { fix: [`find out whose address it is before ${path} is touched: cni-debug list`] };
  const [word, id, ifName] = [path, owner.containerID, owner.ifName].map(shellWord);
  const write = `printf '%s\\r\\n%s' ${id} ${ifName} >${word}`;
  if (text === '') return { fix: ['cni-debug doctor --fix', write], undo: [`: >${word}`] };
  return { fix: [`cp -p ${word} ${word}.damaged`, write], undo: [`mv ${word}.damaged ${word}`] };
}
