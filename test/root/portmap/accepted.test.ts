import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { mapping, Published } from './published.ts';

describe.if(requires('root', 'ip', 'nft'))('portmap accepts', () => {
  let published: Published;
  beforeAll(() => {
    published = new Published();
  });
  afterAll(() => published[Symbol.dispose]());

  test('backend "iptables", and says on stderr that nftables serves it (ours)', async () => {
    const web = await published.attach('web');
    const conf = published.configuration(web, [mapping(8080, 80)], { backend: 'iptables' });
    const { status, stderr } = await published.site.call('ADD', conf, { pod: web.pod });
    expect(status).toBe(0);
    expect(stderr).toMatch(/backend.*iptables.*nftables/s);
    await published.in(web).serve('tcp', 80);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.2');
    expect(published.site.onNode('nft', 'list', 'ruleset')).not.toContain('CNI-HOSTPORT');
    await published.withdraw(web, []);
  });

  test.each(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])(
    'version %s: prevResult comes back as it was, and the port leads there',
    async (cniVersion) => {
      const { site, network } = published;
      const pod = site.pod(`v${cniVersion}`);
      const result = await site.add({ ...network, cniVersion }, { pod });
      const attached = { pod, ifName: 'eth0', network: { ...network, cniVersion }, result, v4: '', v6: '' };
      expect(await published.publish(attached, [mapping(8080, 80)])).toEqual(result);
      await published.in(pod).serve('tcp', 80);
      expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe(`v${cniVersion} sees 192.0.2.2`);
      expect(await published.in('outside').ask('fd00:99::1', 8080)).toBe(`v${cniVersion} sees fd00:99::2`);
      await published.withdraw(attached, [mapping(8080, 80)]);
      expect(await published.in('outside').refusal('192.0.2.1', 8080)).toBe('ECONNREFUSED');
    },
  );

  test('protocols in capitals, as some runtimes write them (ours)', async () => {
    const web = await published.attach('capitals');
    await published.in(web).serve('tcp', 80);
    await published.publish(web, [mapping(8080, 80, { protocol: 'TCP' })]);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('capitals sees 192.0.2.2');
    await published.withdraw(web, []);
  });

  test('prevResult with keys that nobody knows, which come through (ours)', async () => {
    const web = await published.attach('unknown');
    const prevResult = { ...web.result, 'example.com/mark': { kept: [1, 2.5, 'x'] } };
    expect(await published.publish(web, [mapping(8080, 80)], { prevResult })).toEqual(prevResult);
    await published.withdraw(web, []);
  });
});
