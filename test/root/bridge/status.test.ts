import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { Site } from '../site.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

// The reference host-local has no STATUS: its pools are never reported.
describe.if(requires('root', 'ip', 'nft'))('STATUS (ours)', () => {
  let site: Site;
  beforeEach(() => {
    site = new Site();
  });
  afterEach(() => site[Symbol.dispose]());

  /** A /29 has five addresses beside its gateway. */
  const configuration = (ranges: object[][]): Json =>
    site.configuration({ cniVersion: '1.1.0', ipam: { ...site.ipam([]), ranges } });
  const small = { subnet: '10.50.0.0/29' };
  const fill = async (conf: Json, count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) await site.add(conf, { pod: site.pod(`c${index}`) });
  };

  test('is silent while there are addresses, also before the first ADD', async () => {
    const conf = configuration([[small]]);
    expect(await site.call('STATUS', conf)).toMatchObject({ status: 0, stdout: '' });
    await fill(conf, 4);
    expect(await site.call('STATUS', conf)).toMatchObject({ status: 0, stdout: '' });
  });

  test('is 50 when a range set has none left, with the counts, and no more after a DEL', async () => {
    const conf = configuration([[small]]);
    await fill(conf, 5);
    const { code, msg, details = '' } = await site.fail('STATUS', conf);
    expect(code).toBe(50);
    expect(`${msg} ${details}`).toContain('10.50.0.');
    expect(`${msg} ${details}`).toMatch(/\b5\b/);
    await site.del(conf, { containerID: 'c3', netns: '' });
    expect(await site.call('STATUS', conf)).toMatchObject({ status: 0, stdout: '' });
  });

  test('needs every range set, and of the ranges inside one any', async () => {
    const alternatives = configuration([[small, { subnet: '10.51.0.0/29' }]]);
    await fill(alternatives, 5);
    expect(await site.call('STATUS', alternatives)).toMatchObject({ status: 0 });
    // The same directory: what is leased counts for whoever asks.
    const both = configuration([[{ subnet: 'fd00:50::/64' }], [small]]);
    expect(await site.fail('STATUS', both)).toMatchObject({ code: 50 });
  });

  test('of an L2-only bridge is fine, and below 1.1.0 there is none', async () => {
    const conf = site.configuration({ cniVersion: '1.1.0', ipam: undefined });
    expect(await site.call('STATUS', conf)).toMatchObject({ status: 0, stdout: '' });
    expect(await site.fail('STATUS', { ...conf, cniVersion: '1.0.0' })).toMatchObject({ code: 1 });
  });

  test('of another IPAM plugin is what that one says', async () => {
    const script = '#!/bin/sh\necho \'{"cniVersion":"1.1.0","code":50,"msg":"no more today"}\'; exit 1\n';
    await Bun.write(`${site.scratch.folder}/fake`, script);
    await Bun.$`chmod 755 ${site.scratch.folder}/fake`.quiet();
    const conf = site.configuration({ cniVersion: '1.1.0', ipam: { type: 'fake' } });
    const error = await site.fail('STATUS', conf, { searched: [site.scratch.folder] });
    expect(error).toMatchObject({ code: 50, msg: expect.stringContaining('no more today') });
  });
});
