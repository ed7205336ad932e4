import type { Expression } from './expression.ts';
import { loadAddress } from './match.ts';

/** A part of a packet, that a key can be made of. */
export interface Field {
  /** In bytes. */
  readonly length: number;
  readonly load: (register: number) => Expression;
}

/** `ip saddr`, `ip6 daddr`: only behind a test of the family. */
export const addressField = (field: 'saddr' | 'daddr', length: 4 | 16): Field => ({
  length,
  load: (register) => ({ ...loadAddress(field, length, length), register }),
});

/** `meta l4proto` */
export const l4proto: Field = { length: 1, load: (register) => ({ name: 'meta', key: 'l4proto', register }) };

/** `th dport`, of every protocol that has its ports where TCP has them. */
export const dport: Field = {
  length: 2,
  load: (register) => ({ name: 'payload', base: 'transport', offset: 2, length: 2, register }),
};

/** `iifname` and `oifname` */
export const interfaceNameField = (key: 'iifname' | 'oifname'): Field => ({
  length: IFNAMSIZ,
  load: (register) => ({ name: 'meta', key, register }),
});

/** Puts the fields into registers one behind the other, from the first on: `ip daddr . meta l4proto . th dport`. */
export function loadFields(...fields: readonly Field[]): Expression[] {
  let offset = 0;
  return fields.map(({ length, load }) => {
    const register = registerAt(offset);
    // Each field begins a register of four bytes.
    offset += Math.ceil(length / 4) * 4;
    return load(register);
  });
}

/**
 * The register that begins behind so many bytes of fields, a multiple of four. The kernel numbers those with room for 16 bytes from
 * NFT_REG_1, and says so again when it lists a rule; the others have NFT_REG32_00 and what is behind it.
 */
export function registerAt(bytes: number): number {
  const words = bytes / 4;
  return words % 4 === 0 ? NFT_REG_1 + words / 4 : NFT_REG32_00 + words;
}

/** include/uapi/linux/if.h and include/uapi/linux/netfilter/nf_tables.h */
const IFNAMSIZ = 16;
const NFT_REG_1 = 1;
const NFT_REG32_00 = 8;
