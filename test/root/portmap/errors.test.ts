import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { difference } from '../snapshot.ts';
import { type Attached, mapping, Published } from './published.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

const first = 'runtimeConfig.portMappings[0]';

describe.if(requires('root', 'ip', 'nft'))('portmap refuses (ours)', () => {
  let published: Published;
  let web: Attached;
  beforeAll(async () => {
    published = new Published();
    web = await published.attach('web');
  });
  afterAll(() => published[Symbol.dispose]());

  /** What ADD fails with; nothing is changed by it. */
  async function refused(mappings: Json, keys: Json = {}): Promise<{ code: number; text: string }> {
    const before = published.site.snapshot();
    const conf = published.configuration(web, mappings, keys);
    const { code, msg, details = '' } = await published.site.fail('ADD', conf, { pod: web.pod });
    expect(difference(before, published.site.snapshot())).toEqual([]);
    return { code, text: `${msg} ${details}` };
  }

  const good = mapping(8080, 80);
  test.each([
    [`${first}.hostPort`, { ...good, hostPort: -1 }],
    [`${first}.hostPort`, { ...good, hostPort: 65536 }],
    [`${first}.hostPort`, { ...good, hostPort: 80.5 }],
    [`${first}.hostPort`, { ...good, hostPort: 1e30 }],
    [`${first}.hostPort`, { ...good, hostPort: '8080' }],
    [`${first}.containerPort`, { ...good, containerPort: 0 }],
    [`${first}.containerPort`, { ...good, containerPort: 65536 }],
    [`${first}.containerPort`, { hostPort: 8080, protocol: 'tcp' }],
    [`${first}.protocol`, { ...good, protocol: 'icmp' }],
    [`${first}.protocol`, { ...good, protocol: 6 }],
    [`${first}.hostIP`, { ...good, hostIP: '192.0.2' }],
    [`${first}.hostIP`, { ...good, hostIP: '192.0.2.1/24' }],
    [`${first}.hostIP`, { ...good, hostIP: 'fd00::g' }],
    [`${first}.hostIP`, { ...good, hostIP: 7 }],
    [first, 'all'],
  ])('%s in %j, with code 7 and the path of it', async (path, wrong) => {
    const { code, text } = await refused([wrong]);
    expect(code).toBe(7);
    expect(text).toContain(path);
  });

  test('a wrong mapping behind good ones, by its place', async () => {
    const { code, text } = await refused([good, mapping(8081, 81), { ...good, hostPort: 70_000 }]);
    expect(code).toBe(7);
    expect(text).toContain('runtimeConfig.portMappings[2].hostPort');
  });

  test('mappings that are no list', async () => {
    const { code, text } = await refused({ 8080: 80 });
    expect(code).toBe(7);
    expect(text).toContain('runtimeConfig.portMappings');
  });

  test('two mappings of one host port to different ports of the container', async () => {
    const { code, text } = await refused([good, mapping(8080, 81)]);
    expect(code).toBe(7);
    expect(text).toContain('runtimeConfig.portMappings[1]');
  });

  test.each(['conditionsV4', 'conditionsV6'])('%s, which names the plugin that has them', async (key) => {
    const { code, text } = await refused([good], { [key]: ['-s', '192.0.2.0/24'] });
    expect(code).toBe(7);
    expect(text).toContain(key);
    expect(text).toContain('reference');
  });

  test.each([
    ['snat', 'yes'],
    ['masqAll', 1],
    ['backend', 'ebtables'],
    ['markMasqBit', 32],
    ['markMasqBit', -1],
  ])('%s: %p', async (key, value) => {
    const { code, text } = await refused([good], { [key]: value });
    expect(code).toBe(7);
    expect(text).toContain(key);
  });

  test('markMasqBit beside externalSetMarkChain', async () => {
    const keys = { markMasqBit: 5, externalSetMarkChain: 'KUBE-MARK-MASQ' };
    expect(await refused([good], keys)).toMatchObject({ code: 7 });
  });

  test.each(['ADD', 'CHECK'])('%s without prevResult', async (command) => {
    const conf = published.configuration(web, [good], { prevResult: undefined });
    const { code, msg } = await published.site.fail(command, conf, { pod: web.pod });
    expect(code).toBe(7);
    expect(msg).toMatch(command === 'ADD' ? /must be called as chained plugin/ : /prevResult|chained/);
  });

  test('CHECK below 0.4.0, GC and STATUS below 1.1.0', async () => {
    const conf = { ...published.configuration(web, [good]), cniVersion: '0.3.1' };
    expect(await published.site.fail('CHECK', conf, { pod: web.pod })).toMatchObject({ code: 1 });
    for (const command of ['GC', 'STATUS']) {
      const older = { ...conf, cniVersion: '1.0.0' };
      expect(await published.site.fail(command, older)).toMatchObject({ code: 1 });
    }
  });
});
