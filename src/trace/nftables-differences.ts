import type { Namespace } from '../kernel/netns.ts';
import { decodeChain, listChains } from '../kernel/nftables/chain.ts';
import { elementTexts, setOfElements } from '../kernel/nftables/element-text.ts';
import type { ForeignExpression } from '../kernel/nftables/expression.ts';
import { familyOf } from '../kernel/nftables/family.ts';
import { xtablesComment } from '../kernel/nftables/foreign-text.ts';
import {
  type NftablesChange,
  type NftablesMonitor,
  openNftablesMonitor,
} from '../kernel/nftables/monitor.ts';
import { decodeRule } from '../kernel/nftables/rule.ts';
import { ruleText } from '../kernel/nftables/rule-text.ts';
import { decodeSet, listSets, type NftSet } from '../kernel/nftables/set.ts';
import { openNftables } from '../kernel/nftables/socket.ts';
import { decodeTable, tableText } from '../kernel/nftables/table.ts';
import { type Difference, differencesOf, type Found, knownValues } from './change.ts';

/**
 * What is changed in the nftables of a namespace from one moment to the next. The rules and elements that there are,
 * are never listed: each change is announced with all that was in it, also what is deleted.
 */
export class NftablesDifferences {
  readonly #monitor: NftablesMonitor;
  /** Chains and sets as they are: they are announced again when they are asked for and there already. */
  readonly #known = new Map<string, Found>();
  readonly #sets = new Map<string, NftSet>();

  /** From now on. Throws SystemError and NetlinkError. */
  constructor(namespace: Namespace | undefined) {
    this.#monitor = openNftablesMonitor(namespace);
    try {
      const nftables = openNftables(namespace);
      try {
        for (const chain of listChains(nftables)) this.#know(chainObject(chain));
        for (const set of listSets(nftables)) this.#knowSet(set);
      } finally {
        nftables.close();
      }
      // What was announced until then is in these lists.
      this.#monitor.read();
    } catch (error) {
      this.#monitor.close();
      throw error;
    }
  }

  /**
   * Since the last time. `isWhole` is false when some of it was lost. Throws NetlinkError, SystemError and
   * MalformedMessageError.
   */
  next(): { differences: Difference[]; isWhole: boolean } {
    const { changes, isWhole } = this.#monitor.read();
    const [gone, come]: [Found[], Found[]] = [[], []];
    for (const change of changes) {
      for (const found of this.#objects(change)) {
        if (change.deleted) remove(found, come, gone);
        else {
          const before = this.#known.get(keyOf(found));
          if (before !== undefined) remove(before, come, gone);
          come.push(found);
        }
        this.#remember(found, change.deleted);
      }
    }
    return { differences: differencesOf(gone, come), isWhole };
  }

  /** May be called twice. */
  close(): void {
    this.#monitor.close();
  }

  #objects({ kind, deleted, payload, process }: NftablesChange): Found[] {
    const by = process === undefined ? {} : { process };
    return this.#found(kind, deleted, payload).map((found) => ({ ...found, ...by }));
  }

  #found(kind: NftablesChange['kind'], deleted: boolean, payload: Buffer): Found[] {
    if (kind === 'table') {
      const table = decodeTable(payload);
      return [
        { kind: 'nft table', object: tableText(table), values: knownValues({ comment: table.comment }) },
      ];
    }
    if (kind === 'chain') return this.#named(chainObject(decodeChain(payload)), deleted);
    if (kind === 'set') {
      const set = decodeSet(payload);
      if (isAnonymous(set.set)) return [];
      // Of one that is deleted only the name is told.
      const known = deleted ? (this.#sets.get(setKey(set)) ?? set) : set;
      if (!deleted) this.#sets.set(setKey(set), set);
      return [setObject(known)];
    }
    if (kind === 'elements') return this.#elements(payload);
    const rule = decodeRule(payload);
    const foreign = rule.expressions.filter((one): one is ForeignExpression => one.name === 'foreign');
    const comment = rule.comment ?? foreign.map(xtablesComment).find((text) => text !== undefined);
    const object = ruleText(rule.expressions) || `handle ${rule.handle}`;
    const of = `chain ${tableText(rule)} ${rule.chain}`;
    return [{ kind: 'nft rule', object, of, values: knownValues({ comment }) }];
  }

  #elements(payload: Buffer): Found[] {
    const { family: number, table, set } = setOfElements(payload);
    // Those of a rule are a part of it.
    if (isAnonymous(set)) return [];
    const family = familyOf(number);
    const known = this.#sets.get(setKey({ family, table, set }));
    const of = `${known?.data === undefined ? 'set' : 'map'} ${family} ${table} ${set}`;
    return elementTexts(known, payload).map(({ key, data, comment }) => ({
      kind: 'nft element',
      object: key,
      of,
      values: knownValues({ to: data, comment }),
    }));
  }

  #named(found: Found, deleted: boolean): Found[] {
    return deleted ? [this.#known.get(keyOf(found)) ?? found] : [found];
  }

  #know(found: Found): void {
    this.#known.set(keyOf(found), found);
  }

  #knowSet(set: NftSet): void {
    this.#sets.set(setKey(set), set);
    this.#know(setObject(set));
  }

  #remember(found: Found, deleted: boolean): void {
    if (found.kind !== 'nft chain' && found.kind !== 'nft set' && found.kind !== 'nft map') return;
    if (deleted) this.#known.delete(keyOf(found));
    else this.#know(found);
  }
}

/** What was made in the meantime is not there any more; else it is gone. */
function remove(found: Found, come: Found[], gone: Found[]): void {
  const isSame = (one: Found): boolean => keyOf(one) === keyOf(found) && sameText(one, found);
  const made = come.findIndex(isSame);
  if (made >= 0) come.splice(made, 1);
  else gone.push(found);
}

function sameText(one: Found, other: Found): boolean {
  return JSON.stringify(one.values) === JSON.stringify(other.values);
}

function keyOf({ kind, object, of }: Found): string {
  return `${kind}\0${object}\0${of ?? ''}`;
}

function chainObject(chain: ReturnType<typeof decodeChain>): Found {
  const { base, comment } = chain;
  const hook = base && `${base.type} ${base.hook} ${base.priority}`;
  const values = knownValues({ hook, policy: base?.policy, comment });
  return { kind: 'nft chain', object: chain.chain, of: tableText(chain), values };
}

function setObject(set: NftSet): Found {
  const { key, data, comment } = set;
  const to = data === undefined || data === 'verdict' ? data : data.join(' . ');
  const values = knownValues({ key: key?.join(' . '), to, comment });
  return { kind: data === undefined ? 'nft set' : 'nft map', object: set.set, of: tableText(set), values };
}

function setKey({ family, table, set }: Pick<NftSet, 'family' | 'table' | 'set'>): string {
  return `${family} ${table} ${set}`;
}

/** As nft and the kernel name the sets that are written inside a rule. */
function isAnonymous(set: string): boolean {
  return /^__(set|map)\d+$/.test(set);
}
