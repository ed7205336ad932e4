import type { ChainName } from '../kernel/nftables/chain.ts';
import { listTableRules, type Rule } from '../kernel/nftables/rule.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import { tableText } from '../kernel/nftables/table.ts';

/** The rules of the tables that are asked for, as they are at the first question: one for all chains of a table. */
export class TableRules {
  readonly #nftables: Nftables;
  readonly #tables = new Map<string, Rule[]>();

  constructor(nftables: Nftables) {
    this.#nftables = nftables;
  }

  /** In order; none when the chain is not there. Throws NetlinkError. */
  of(name: ChainName): Rule[] {
    const table = tableText(name);
    const rules = this.#tables.get(table) ?? listTableRules(this.#nftables, name);
    this.#tables.set(table, rules);
    return rules.filter(({ chain }) => chain === name.chain);
  }
}
