import { type Chain, listChains } from '../../kernel/nftables/chain.ts';
import { listElements } from '../../kernel/nftables/element.ts';
import { listTableRules, type Rule } from '../../kernel/nftables/rule.ts';
import type { SetType } from '../../kernel/nftables/set.ts';
import { type Nftables, openNftables } from '../../kernel/nftables/socket.ts';
import { type TableName, tableText } from '../../kernel/nftables/table.ts';
import { ALL_HOST_PORT_SETS } from '../../network/host-port-rules.ts';
import { MASQUERADE_MAPS } from '../../network/masquerade.ts';
import type { FoundElement } from '../../network/owned-element.ts';
import { SPOOF_CHECK_SETS } from '../../network/spoof-check.ts';
import type { Survey } from '../survey.ts';

/** Every element of our own sets, whosever it is. */
export function ownElements(survey: Survey): readonly FoundElement[] {
  return survey.once('own elements', 'nftables', () =>
    withNftables((nftables) =>
      [...MASQUERADE_MAPS, ...ALL_HOST_PORT_SETS, ...SPOOF_CHECK_SETS].flatMap((set: SetType) =>
        listElements(nftables, set).map((element) => ({ set, element })),
      ),
    ),
  );
}

/** The rules of a table, those of each chain in order; none where there is no such table. */
export function rulesOf(survey: Survey, table: TableName): readonly Rule[] {
  const name = tableText(table);
  return survey.once(`rules of ${name}`, `nft list table ${name}`, () =>
    withNftables((nftables) => listTableRules(nftables, table)),
  );
}

export function chainsOf(survey: Survey): readonly Chain[] {
  return survey.once('chains', 'nft list chains', () => withNftables(listChains));
}

/** Throws SystemError and NetlinkError: EPERM for whoever is not root. */
export function withNftables<T>(look: (nftables: Nftables) => T): T {
  const nftables = openNftables();
  try {
    return look(nftables);
  } finally {
    nftables.close();
  }
}
