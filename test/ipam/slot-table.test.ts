import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatIp, parseIp } from '../../src/cni/address.ts';
import { hasBit } from '../../src/ipam/block.ts';
import { MemorySlots } from '../../src/ipam/index-file.ts';
import { ownerHash, type Slot } from '../../src/ipam/slot.ts';
import { CorruptTableError, SlotTable } from '../../src/ipam/slot-table.ts';

const ip = (text: string) => parseIp(text) as Uint8Array;

/** As few slots as it takes to make searches collide. */
class FewSlots {
  readonly count = 64;
  readonly slots: Slot[] = Array.from({ length: 64 }, () => Buffer.alloc(32));
  read(index: number): Slot {
    return this.slots[index] as Slot;
  }
  write(index: number, slot: Slot): void {
    this.slots[index] = slot;
  }
}

const command = fc.record({
  isAdd: fc.boolean(),
  owner: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  ip: fc.constantFrom(
    '10.1.0.1',
    '10.1.0.2',
    '10.1.0.63',
    '10.1.0.64',
    '10.2.0.1',
    'fd00::1',
    'fd00::41',
    '::',
  ),
});

test('answers as a plain list of leases does', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const slots = new FewSlots();
      const table = new SlotTable(slots, 0);
      const model = new Map<string, string>();
      for (const { isAdd, owner, ip: address } of commands) {
        const entry = { ip: ip(address), hash: ownerHash(owner) };
        if (isAdd && !model.has(address)) {
          table.add(entry);
          model.set(address, owner);
        } else if (!isAdd && model.get(address) === owner) {
          table.remove(entry);
          model.delete(address);
        }
      }
      for (const owner of 'abcdef') {
        const expected = [...model].filter(([, other]) => other === owner).map(([address]) => address);
        expect(table.addressesOf(ownerHash(owner)).map(formatIp).sort()).toEqual(expected.sort());
      }
      for (const address of [
        '10.1.0.1',
        '10.1.0.2',
        '10.1.0.3',
        '10.1.0.63',
        '10.1.0.64',
        '10.2.0.1',
        'fd00::1',
        '::',
      ]) {
        expect(hasBit(table.bitsAround(ip(address)), ip(address))).toBe(model.has(address));
      }
      expect(table.used).toBe(slots.slots.filter((slot) => slot[0] !== 0).length);
      expect(table.entries().length).toBe(model.size);
    }),
    { numRuns: 300 },
  );
});

test('many at once are as many one by one', () => {
  const entries = Array.from({ length: 500 }, (_, index) => ({
    ip: ip(`10.1.${index >> 8}.${index & 255}`),
    hash: ownerHash(`container${index}`),
  }));
  const table = new SlotTable(new MemorySlots(entries.length), 0);
  table.addAll(entries);
  for (const { ip: address, hash } of entries) {
    expect(table.addressesOf(hash).map(formatIp)).toEqual([formatIp(address)]);
    expect(hasBit(table.bitsAround(address), address)).toBe(true);
  }
  expect(hasBit(table.bitsAround(ip('10.1.1.244')), ip('10.1.1.244'))).toBe(false);
});

test('does not search for ever in a table without an empty slot', () => {
  const table = new SlotTable(new FewSlots(), 0);
  const add = () => {
    for (let index = 0; index < 100; index += 1) {
      table.add({ ip: ip(`10.1.${index}.1`), hash: ownerHash(`c${index}`) });
    }
  };
  expect(add).toThrow(CorruptTableError);
  expect(table.addressesOf(ownerHash('nobody'))).toEqual([]);
  expect(table.isCrowded).toBe(true);
});

test('a slot that is not as it was written is noticed', () => {
  const slots = new FewSlots();
  const table = new SlotTable(slots, 0);
  const hash = ownerHash('a');
  table.add({ ip: ip('10.1.0.1'), hash });
  for (const slot of slots.slots) if (slot[0] !== 0) slot[20] = 0xee;
  expect(() => table.addressesOf(hash)).toThrow(CorruptTableError);
});
