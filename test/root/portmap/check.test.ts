import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { ours } from '../implementations.ts';
import { type Attached, mapping, Published } from './published.ts';

const mappings = [mapping(8080, 80), mapping(8081, 81, { hostIP: '192.0.2.1' })];

describe.if(requires('root', 'ip', 'nft'))('CHECK', () => {
  let published: Published;
  let web: Attached;
  beforeAll(async () => {
    published = new Published();
    web = await published.attach('web');
  });
  // It also mends what the test before broke.
  beforeEach(() => published.publish(web, mappings));
  afterAll(() => published[Symbol.dispose]());

  const call = () => ({ pod: web.pod });
  /** What CHECK says, in one text. */
  async function told(wanted = mappings, keys = {}): Promise<string> {
    const { msg, details = '' } = await published.site.fail(
      'CHECK',
      published.configuration(web, wanted, keys),
      call(),
    );
    return `${msg} ${details}`;
  }
  const elements = (set: string): string[] => {
    const { nftables } = JSON.parse(
      published.site.onNode('nft', '-j', 'list', 'set', 'inet', 'cni_debug', set),
    );
    return nftables.flatMap((entry: { set?: { elem?: string[] } }) => entry.set?.elem ?? []);
  };

  test('is silent after ADD, once and twice', async () => {
    for (let time = 1; time <= 2; time += 1) {
      const answer = await published.site.call('CHECK', published.configuration(web, mappings), call());
      expect(answer).toMatchObject({ status: 0, stdout: '' });
    }
  });

  test('names a port that was not asked for at ADD', async () => {
    expect(await told([...mappings, mapping(8082, 82)])).toContain('8082');
  });

  test('names all that is missing at once when somebody deleted it (ours)', async () => {
    published.site.onNode('nft', 'flush map inet cni_debug hostport_any4');
    published.site.onNode('nft', 'flush map inet cni_debug hostport6');
    published.site.onNode('nft', 'flush map inet cni_debug hostport4');
    const text = await told();
    expect(text).toContain('8080');
    expect(text).toContain('8081');
    expect(text).toContain('hostport_any4');
    expect(text).not.toContain('hostport_any6 is missing');
    await published.publish(web, mappings);
    expect(await published.site.call('CHECK', published.configuration(web, mappings), call())).toMatchObject({
      status: 0,
    });
  });

  test('names what leads elsewhere, or is of another (ours)', async () => {
    const [, comment] = /comment "([^"]*)"/.exec(
      published.site.onNode('nft', 'list map inet cni_debug hostport_any4'),
    ) as unknown as [string, string];
    published.site.onNode('nft', 'flush map inet cni_debug hostport_any4');
    const wrong = `tcp . 8080 comment "${comment}" : 10.50.0.99 . 80`;
    published.site.onNode('nft', `add element inet cni_debug hostport_any4 { ${wrong} }`);
    expect(await told()).toContain('8080');
    published.site.onNode('nft', 'flush map inet cni_debug hostport_any4');
    published.site.onNode('nft', 'add element inet cni_debug hostport_any4 { tcp . 8080 : 10.50.0.2 . 80 }');
    expect(await told()).toContain('8080');
    published.site.onNode('nft', 'flush map inet cni_debug hostport_any4');
  });

  test('says so when the tables are flushed, or deleted (ours)', async () => {
    published.site.onNode('nft', 'flush table inet cni_debug');
    expect(await told()).toContain('cni_debug');
    published.site.onNode('nft', 'delete table inet cni_debug');
    expect(await told()).toContain('8080');
    // A repeated ADD mends it.
    await published.publish(web, mappings);
    const answer = await published.site.call('CHECK', published.configuration(web, mappings), call());
    expect(answer).toMatchObject({ status: 0 });
    await published.in(web).serve('tcp', 80);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.2');
  });

  test('names a missing masquerade (ours)', async () => {
    expect(elements('hostport_self4')).toHaveLength(1);
    published.site.onNode('nft', 'flush set inet cni_debug hostport_self4');
    expect(await told()).toContain('hostport_self4');
  });

  test('needs prevResult', async () => {
    expect(await told(mappings, { prevResult: undefined })).toMatch(/prevResult|chained/);
  });
});

describe.if(requires('root', 'ip', 'nft', 'strace'))('without mappings (ours)', () => {
  test.each([
    ['no runtimeConfig', {}],
    ['an empty one', { runtimeConfig: {} }],
    ['an empty list', { runtimeConfig: { portMappings: [] } }],
    ['null', { runtimeConfig: { portMappings: null } }],
  ])('%s: ADD and CHECK make no socket, load no library, and pass prevResult on', async (_, keys) => {
    using published = new Published();
    const web = await published.attach('web');
    const { site } = published;
    const strace = Bun.which('strace', { PATH: ours.path }) ?? 'strace';
    for (const command of ['ADD', 'CHECK']) {
      const trace = join(site.scratch.folder, `trace-${command}`);
      const through = [strace, '-f', '-qq', '-e', 'trace=socket,setns,openat,execve', '-o', trace];
      const conf = { ...published.configuration(web, []), runtimeConfig: undefined, ...keys };
      const answer = await site.call(command, conf, { pod: web.pod, through });
      expect(answer).toMatchObject({ status: 0, stderr: '' });
      if (command === 'ADD') expect(JSON.parse(answer.stdout)).toEqual(web.result);
      const text = readFileSync(trace, 'utf8');
      expect(text).not.toMatch(/socket\(|setns\(|koffi|AF_NETLINK/);
      expect(text.match(/execve\(/g)).toHaveLength(1);
    }
    expect(site.onNode('nft', 'list', 'ruleset')).toBe('');
  });
});
