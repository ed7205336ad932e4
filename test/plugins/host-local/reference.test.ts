import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { CniError } from '../../../src/cni/error.ts';
import { supportedVersions } from '../../../src/cni/version.ts';
import { Pool } from '../../ipam/pool.ts';
import { answered } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { Network, ours, reference } from './network.ts';

const ipam = {
  ranges: [
    [{ subnet: '10.1.0.0/28', rangeStart: '10.1.0.4' }],
    [{ subnet: 'fd00::/64', gateway: 'fd00::99' }],
  ],
  routes: [{ dst: '10.9.1.2/8', gw: '10.1.0.3', mtu: 1400, priority: 7, scope: 0 }, { dst: '::/0' }],
};

describe.if(requires('reference-plugins'))('beside the reference', () => {
  test.each([...supportedVersions])('the result of version %s is the same', async (cniVersion) => {
    using network = new Network(ipam);
    using other = new Network(ipam);
    const call = { keys: { cniVersion }, args: 'IgnoreUnknown=1;IP=10.1.0.7' };
    const answer = answered(await network.call(ours, 'ADD', 'a', call));
    expect(answer).toEqual(answered(await other.call(reference, 'ADD', 'a', call)));
    expect(network.files()).toEqual(other.files());
  });

  test.each([
    ['ours', ours, 'the reference', reference],
    ['the reference', reference, 'ours', ours],
  ])('ADD by %s, CHECK and DEL by %s', async (...[, adds, , checks]) => {
    using network = new Network(ipam);
    for (const name of ['a', 'b']) expect(await network.call(adds, 'ADD', name)).toMatchObject({ status: 0 });
    for (const name of ['a', 'b']) {
      expect(await network.call(checks, 'CHECK', name)).toMatchObject({ status: 0, stdout: '' });
    }
    const again = answered(await network.call(checks, 'ADD', 'a'));
    expect(again.msg).toBe(
      'failed to allocate for range 0: 10.1.0.4 has been allocated to a, duplicate allocation is not allowed',
    );
    for (const name of ['a', 'b', 'a']) {
      expect(await network.call(checks, 'DEL', name)).toMatchObject({ status: 0, stdout: '' });
      expect(await network.call(checks, 'CHECK', name)).toMatchObject({ status: 1 });
    }
    expect(network.files()).toEqual(['last_reserved_ip.0', 'last_reserved_ip.1', 'lock']);
  });

  test('a pool shared under load: 40 at once, each with addresses of its own', async () => {
    using network = new Network({ ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }]] });
    const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
    const by = (index: number) => (index % 2 === 0 ? ours : reference);
    const answers = await Promise.all(names.map((name, index) => network.call(by(index), 'ADD', name)));
    const addresses = answers.flatMap((answer) =>
      answered(answer).ips.map(({ address }: { address: string }) => address.replace(/\/.*/, '')),
    );
    expect(new Set(addresses).size).toBe(80);
    expect(network.leases()).toEqual(addresses.sort());
    // Each by the one that has not made it.
    const freed = await Promise.all(names.map((name, index) => network.call(by(index + 1), 'DEL', name)));
    expect(freed.map(({ status, stdout }) => [status, stdout])).toEqual(names.map(() => [0, '']));
    expect(network.files()).toEqual(['last_reserved_ip.0', 'last_reserved_ip.1', 'lock']);
  });

  const command = fc.record({
    isAdd: fc.boolean(),
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    args: fc.constantFrom('', '', '', 'IP=10.1.0.3', 'IP=10.1.0.1', 'IP=10.2.0.5/24', 'IP=fd00::3'),
  });
  test('does to the same calls what the reference does', async () => {
    const small = {
      ranges: [
        [
          { subnet: '10.1.0.0/29', rangeEnd: '10.1.0.4' },
          { subnet: '10.2.0.0/24', rangeStart: '10.2.0.5', rangeEnd: '10.2.0.5' },
        ],
        [{ subnet: 'fd00::/126' }, { subnet: 'fd01::/64', rangeStart: 'fd01::7', rangeEnd: 'fd01::8' }],
      ],
    };
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 20 }), async (commands) => {
        using network = new Network(small);
        using pool = new Pool(small);
        for (const { isAdd, name, args: wanted } of commands) {
          // When an ADD of somebody who has addresses fails late, the reference frees those, too.
          const args = pool.leases(name).length > 0 ? '' : wanted;
          const answer = await network.call(reference, isAdd ? 'ADD' : 'DEL', name, { args });
          const theirs = answer.stdout === '' ? 'done' : outcomeOf(answered(answer));
          expect(attempt(() => (isAdd ? pool.add(name, pool.asking(args)).join() : pool.del(name)))).toBe(
            theirs,
          );
          expect(pool.names()).toEqual(network.leases());
        }
      }),
      { numRuns: 6, endOnFailure: true },
    );
  });
});

function outcomeOf(answer: { msg?: string; ips?: { address: string }[] }): string {
  return answer.msg ?? (answer.ips ?? []).map(({ address }) => address).join();
}

function attempt(run: () => string | string[]): string {
  try {
    const done = run();
    return typeof done === 'string' ? done : 'done';
  } catch (error) {
    if (error instanceof CniError) return error.message;
    throw error;
  }
}
