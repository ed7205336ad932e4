import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { getLink } from '../../../src/kernel/netlink/link.ts';
import { linkTowards } from '../../../src/kernel/netlink/route-lookup.ts';
import { requires } from '../../requirements.ts';
import { type Place, place } from './place.ts';

describe.if(requires('root', 'ip'))('the link towards an address', () => {
  let here: Place;
  beforeEach(() => {
    here = place(
      'link set lo up',
      'link add pods type bridge',
      'addr add 10.22.0.1/16 dev pods',
      'addr add fd00:22::1/64 dev pods nodad',
      'link set pods up',
    );
  });
  afterEach(() => here.close());

  const towards = (...bytes: number[]): string | undefined => {
    const index = linkTowards(here.socket, Uint8Array.from(bytes));
    return index === undefined ? undefined : getLink(here.socket, index)?.name;
  };
  const six = (first: number, second: number): number[] => [first, second, 0, 0x22, ...Array(11).fill(0), 5];

  test('of its subnet', () => {
    expect(towards(10, 22, 0, 5)).toBe('pods');
    expect(towards(...six(0xfd, 0))).toBe('pods');
  });

  test('of the node itself', () => {
    expect(towards(10, 22, 0, 1)).toBe('lo');
  });

  test('is none without a route', () => {
    expect(towards(192, 0, 2, 1)).toBeUndefined();
    expect(towards(...six(0x20, 1))).toBeUndefined();
  });
});
