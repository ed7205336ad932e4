import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { difference } from '../snapshot.ts';
import { type Attached, mapping, Published } from './published.ts';

const mappings = [
  mapping(8080, 80),
  mapping(8081, 81, { hostIP: '192.0.2.1' }),
  mapping(5353, 53, { protocol: 'udp' }),
  mapping(9999, 99, { protocol: 'sctp', hostIP: '::' }),
];
const valid = 'cni.dev/valid-attachments';
const legacy = 'cni.dev/attachments';

describe.if(requires('root', 'ip', 'nft'))('what portmap made is taken back', () => {
  let published: Published;
  let web: Attached;
  let other: Attached;
  let before: string[] | undefined;
  beforeAll(async () => {
    published = new Published();
    [web, other] = [await published.attach('web'), await published.attach('other')];
  });
  beforeEach(async () => {
    await published.withdraw(web, mappings);
    const others = [mapping(9090, 90), mapping(9091, 91, { hostIP: '192.0.2.1' })];
    await published.publish(other, others, { masqAll: true });
    before ??= published.site.snapshot();
    await published.publish(web, mappings, { masqAll: true });
  });
  afterAll(() => published[Symbol.dispose]());

  const left = (): string[] => difference(before ?? [], published.site.snapshot());

  test.each([
    ['as a runtime gives it', {}],
    ['without runtimeConfig', { runtimeConfig: undefined }],
    ['with an empty runtimeConfig', { runtimeConfig: {} }],
    ['with a malformed runtimeConfig', { runtimeConfig: 7 }],
    ['with no mappings', { runtimeConfig: { portMappings: [] } }],
    ['with other mappings', { runtimeConfig: { portMappings: [mapping(9090, 90)] } }],
    ['with a malformed mapping', { runtimeConfig: { portMappings: [{ hostPort: 'x' }] } }],
    ['with mappings that are none', { runtimeConfig: { portMappings: 'all' } }],
    ['without prevResult', { prevResult: undefined }],
    ['with the prevResult of another', { prevResult: { cniVersion: '1.1.0', ips: [] } }],
    ['with a malformed prevResult', { prevResult: { cniVersion: '1.1.0', ips: [{ address: 'x' }] } }],
    ['with other keys than at ADD', { snat: false, masqAll: false }],
    ['without any of it, in 0.1.0', { runtimeConfig: undefined, prevResult: undefined, cniVersion: '0.1.0' }],
  ])('by DEL %s, once and twice (ours)', async (_, keys) => {
    for (let time = 1; time <= 2; time += 1) {
      await published.withdraw(web, mappings, keys);
      expect(left()).toEqual([]);
    }
  });

  test('by DEL without a namespace, and when the container’s is gone (ours)', async () => {
    await published.withdraw(web, [], { prevResult: undefined }, { netns: '' });
    expect(left()).toEqual([]);
    const gone = await published.attach('gone');
    const start = published.site.snapshot();
    await published.publish(gone, [mapping(8088, 88)]);
    published.site.removeNamespace(gone.pod);
    await published.withdraw(gone, []);
    expect(difference(start, published.site.snapshot()).filter((line) => line.startsWith('+'))).toEqual([]);
  });

  test('by DEL where nothing ever was, which makes nothing', async () => {
    using empty = new Published();
    const start = empty.site.snapshot();
    await empty.site.del(
      { cniVersion: '1.1.0', name: 'net', type: 'portmap' },
      { containerID: 'none', netns: '' },
    );
    expect(difference(start, empty.site.snapshot())).toEqual([]);
  });

  test.each([
    ['no list', {}, false],
    ['null', { [valid]: null }, false],
    ['all listed', { [valid]: [{ containerID: 'web', ifname: 'eth0' }, 'other'] }, false],
    ['an empty list', { [valid]: [] }, true],
    ['an empty list by the older name', { [legacy]: [] }, true],
    ['the other one only', { [valid]: ['other'] }, true],
    ['another interface of it', { [valid]: [{ containerID: 'web', ifname: 'eth1' }, 'other'] }, true],
  ])('by GC with %s (ours)', async (_, keys, isTaken) => {
    const given = JSON.parse(
      JSON.stringify(keys).replace('"other"', '{"containerID":"other","ifname":"eth0"}'),
    );
    const all = published.site.snapshot();
    const conf = { cniVersion: '1.1.0', name: 'net', type: 'portmap', ...given };
    expect(await published.site.call('GC', conf)).toMatchObject({ status: 0, stdout: '' });
    const now = published.site.snapshot();
    expect(difference(all, now).length > 0).toBe(isTaken);
    const text = published.site.onNode('nft', 'list', 'ruleset');
    expect(text.includes(web.v4)).toBe(!isTaken);
    expect(text.includes(other.v4)).toBe(!isTaken || JSON.stringify(given).includes('"other"'));
  });

  test('by GC of its own network only (ours)', async () => {
    const all = published.site.snapshot();
    const conf = { cniVersion: '1.1.0', name: 'another', type: 'portmap', [valid]: [] };
    expect(await published.site.call('GC', conf)).toMatchObject({ status: 0, stdout: '' });
    expect(difference(all, published.site.snapshot())).toEqual([]);
  });
});
