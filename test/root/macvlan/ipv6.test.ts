import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../../src/kernel/file-lock.ts';
import { requires } from '../../requirements.ts';
import { commandIn } from '../namespace-command.ts';
import type { Pod } from '../site.ts';
import { difference } from '../snapshot.ts';
import { Wire } from './wire.ts';

let wire: Wire;
let pod: Pod;
beforeEach(() => {
  wire = new Wire();
  pod = wire.pod('pod');
});
afterEach(() => wire[Symbol.dispose]());

const outside = (...words: string[]) => commandIn(wire.outside, 'ip', ...words);
const both = () => wire.configuration({ ipam: wire.onWire([4, 6], { routes: [{ dst: '::/0' }] }) });
const addresses = () => wire.inPod(pod, 'ip', '-6', 'address', 'show', 'dev', 'eth0', 'scope', 'global');

describe.if(requires('root', 'ip', 'nft'))('duplicate address detection of a macvlan', () => {
  test('is over when ADD answers', async () => {
    await wire.add(both(), { pod });
    expect(addresses()).toContain('fd00:99::100/64');
    expect(addresses()).not.toContain('tentative');
  });

  test('an address that a host on the wire has is an error, and nothing is left', async () => {
    await wire.warmUp(both());
    outside('addr', 'add', 'fd00:99::101/64', 'dev', 'up0', 'nodad');
    const before = wire.snapshot();
    const { msg, details } = await wire.fail('ADD', both(), { pod });
    expect(msg).toBe('address fd00:99::101 of "eth0" is in use by somebody else');
    // That is the name of a key of the bridge.
    expect(details).not.toContain('enabledad');
    expect(wire.links(pod.netns)).toEqual(['lo']);
    expect(difference(before, wire.snapshot())).toEqual([]);
  });

  test('nobody gets the address before the link is gone that has it', async () => {
    await wire.warmUp(both());
    outside('addr', 'add', 'fd00:99::101/64', 'dev', 'up0', 'nodad');
    let addsLeft = 1;
    const failing = wire.fail('ADD', both(), { pod }).finally(() => {
      addsLeft = 0;
    });
    while (wire.leased().length < 2 && addsLeft > 0) await Bun.sleep(5);
    // Detection takes a second: the ADD finds the leases locked when it takes back what it did.
    const path = join(wire.leases, 'net', 'lock');
    const lock = openSync(path, 'r');
    try {
      lockFile(lock, { path, timeoutMs: 1000 });
      const deadline = Date.now() + 10_000;
      while (wire.links(pod.netns).length > 1 && Date.now() < deadline) await Bun.sleep(50);
      expect(wire.links(pod.netns)).toEqual(['lo']);
      expect(wire.leased()).toHaveLength(2);
    } finally {
      closeSync(lock);
    }
    expect((await failing).msg).toContain('in use by somebody else');
    expect(wire.leased()).toEqual([]);
  });

  test('a wire without a carrier has nobody to ask: ADD succeeds, and the kernel asks when there is one', async () => {
    outside('link', 'set', 'up0', 'down');
    const configuration = both();
    const prevResult = await wire.add(configuration, { pod });
    expect(addresses()).toContain('tentative');
    expect(wire.inPod(pod, 'ip', '-6', 'route', 'show', 'default')).toContain('via fd00:99::2');
    const check = () => wire.call('CHECK', { ...configuration, prevResult }, { pod });
    expect(await check()).toMatchObject({ status: 0 });
    outside('link', 'set', 'up0', 'up');
    const deadline = Date.now() + 20_000;
    while (addresses().includes('tentative') && Date.now() < deadline) await Bun.sleep(50);
    expect(addresses()).not.toContain('tentative');
    expect(await check()).toMatchObject({ status: 0 });
  });
});
