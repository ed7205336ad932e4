import { shellWord } from '../../lint/shell-word.ts';
import { type Pool, poolsOf } from '../facts/pools.ts';
import type { Draft, Rule } from '../rule.ts';

/** Percent of a pool from which on it is worth a word before it is empty. */
const nearlyFull = 90n;

export const poolExhausted: Rule = {
  id: 'D002',
  name: 'pool-exhausted',
  severity: 'error',
  summary: 'Every address of a pool is leased.',
  meaning: 'no further pod gets an address of this network: ADD fails with code 11 or 12',
  *find(survey) {
    for (const pool of poolsOf(survey)) if (isFull(pool)) yield fullness(pool);
  },
};

export const poolNearlyFull: Rule = {
  id: 'D003',
  name: 'pool-nearly-full',
  severity: 'warning',
  summary: 'Nine tenths of the addresses of a pool are leased, or more.',
  meaning: 'when the rest is given away no further pod gets an address of this network',
  *find(survey) {
    for (const pool of poolsOf(survey)) {
      if (!isFull(pool) && takenOf(pool) * 100n >= pool.size * nearlyFull) yield fullness(pool);
    }
  },
};

function isFull(pool: Pool): boolean {
  return takenOf(pool) >= pool.size;
}

function takenOf({ leases, damaged }: Pool): bigint {
  return BigInt(leases.length + damaged.length);
}

function fullness(pool: Pool): Draft {
  const { network, subnets, size, directory, damaged } = pool;
  const taken = takenOf(pool);
  return {
    object: `network ${network}`,
    cause: `${taken} of ${size} addresses of ${subnets} are leased`,
    evidence: [
      { source: `ls ${shellWord(directory)}`, text: `${taken} files that are named after an address` },
    ],
    fix: [
      `give it a larger "subnet" or a further range, or free what nobody uses: cni-debug gc ${shellWord(network)}`,
    ],
    // Leases of containers that are gone are why, wherever there are such.
    follows: [
      { id: 'D001', object: `network ${network}` },
      ...damaged.map(({ address }) => ({ id: 'D004', object: `lease ${address}` })),
    ],
  };
}
