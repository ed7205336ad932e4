import { describe, expect, test } from 'bun:test';
import { FaultSite } from '../faults/fault-site.ts';
import { requires } from '../requirements.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads findings as the operator's jq does.
type Json = any;

async function probed(site: FaultSite, ...targets: string[]): Promise<Json> {
  const to = targets.flatMap((target) => ['--to', target]);
  const { status, stdout, stderr } = await site.type(['probe', 'web', ...to, '--timeout', '1s', '--json']);
  if (stdout === '') throw new Error(`status ${status}: ${stderr}`);
  const report = JSON.parse(stdout);
  const steps = report.steps.map(({ what, outcome, text }: Json) => `${what}: ${outcome}: ${text}`);
  return { status, ...report, texts: steps.join('\n') };
}

describe.if(requires('root', 'ip', 'nft'))('probe of a name', () => {
  test.each([
    ['a short one', 'files:7000', 'resolver 192.0.2.2 says so of files.lab.example'],
    ['a whole one', 'files.example:7000', 'resolver 192.0.2.2 says so of files.example'],
    ['one that ends in a dot', 'files.example.:7000', 'resolver 192.0.2.2 says so of files.example'],
    [
      'an alias',
      'alias-one.example:7000',
      'resolver 192.0.2.2 says so of alias-one.example, an alias of other.alias-one.example',
    ],
    [
      'an answer that is truncated',
      'long-one.example:7000',
      'resolver 192.0.2.2 says so of long-one.example',
    ],
  ])(
    '%s',
    async (_, target, source) => {
      await using site = await FaultSite.start();
      const report = await probed(site, target);
      const name = target.replace(':7000', '');
      expect(report).toMatchObject({ status: 0, findings: [] });
      expect(report.texts).toContain(
        `name ${name}: ok: is 192.0.2.2 (${source})\nTCP to 192.0.2.2:7000: ok: `,
      );
      expect(report.texts.includes('TCP to 192.0.2.2:53: ok: ')).toBe(name.startsWith('long-'));
    },
    60_000,
  );

  test.each([
    [
      'that is not there',
      'no-such.example.:80',
      'P016',
      'resolver 192.0.2.2 answers that there is no no-such.example (NXDOMAIN)',
    ],
    [
      'that is not there, whatever is put behind it',
      'no-such:80',
      'P016',
      'resolver 192.0.2.2 answers that there is no no-such.lab.example, nor no-such (NXDOMAIN)',
    ],
    [
      "that has no address of the container's family",
      'six-one.example.:80',
      'P016',
      'resolver 192.0.2.2 knows six-one.example, and no address of IPv4 for it',
    ],
    [
      'at which the resolver fails',
      'lame-one.example.:80',
      'P016',
      'resolver 192.0.2.2, asked for the A of "lame-one.example", answers SERVFAIL',
    ],
    [
      'of which the answer is no message',
      'odd-one.example.:80',
      'P016',
      'resolver 192.0.2.2, asked for the A of "odd-one.example", answers what is no message of DNS',
    ],
    [
      'about which the resolver is silent',
      'mute-one.example:80',
      'P008',
      /^asked for the A of "mute-one\.example": it does not answer \(waited \d+ ms\)$/,
    ],
  ] as const)(
    '%s',
    async (_, target, id, cause) => {
      await using site = await FaultSite.start();
      const { status, findings, texts } = await probed(site, target);
      expect(status).toBe(1);
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({
        id,
        cause: typeof cause === 'string' ? cause : expect.stringMatching(cause),
      });
      expect(texts).not.toContain('TCP to');
    },
    60_000,
  );

  test('one with a dot is asked for as it is, and then with the search list: each question is evidence', async () => {
    await using site = await FaultSite.start();
    const { findings } = await probed(site, 'files.no-a:7000');
    expect(findings[0].evidence.map(({ text }: Json) => text)).toEqual([
      'A of "files.no-a": NXDOMAIN',
      'A of "files.no-a.lab.example": NXDOMAIN',
      'search lab.example',
    ]);
  }, 60_000);

  test('without a resolver that answers, it is not tried', async () => {
    await using site = await FaultSite.start();
    await site.node.sh('echo nameserver 192.0.2.77 > /etc/netns/web/resolv.conf');
    const silent = await probed(site, 'files.example:7000');
    expect(silent.findings[0]).toMatchObject({ id: 'P008', object: 'resolver 192.0.2.77' });
    expect(silent.texts).toContain('name files.example: not tried: no resolver of the container answers');
    await site.node.sh(': > /etc/netns/web/resolv.conf');
    expect((await probed(site, 'files.example:7000')).findings[0]).toMatchObject({ id: 'P009' });
    await site.node.sh(
      'ip netns pids web | xargs kill; for i in $(seq 500); do ip netns pids web | grep -q . || exit 0; sleep 0.01; done; exit 1',
    );
    const empty = await probed(site, 'files.example:7000');
    expect(empty.unseen).toEqual([
      'name files.example: no process runs in the container, and its result names no resolver',
    ]);
  }, 60_000);

  test('the second resolver is asked where the first is silent', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(
      "printf 'nameserver 192.0.2.77\\nnameserver 192.0.2.2\\nsearch no-a.example lab.example\\noptions ndots:2\\n' > /etc/netns/web/resolv.conf",
    );
    const { findings, texts } = await probed(site, 'www.files:7000');
    expect(findings).toMatchObject([{ id: 'P008', severity: 'warning', object: 'resolver 192.0.2.77' }]);
    expect(texts).toContain('is 192.0.2.2 (resolver 192.0.2.2 says so of www.files.lab.example)');
  }, 60_000);

  test('addresses of both families, where the container has both', async () => {
    await using site = await FaultSite.start();
    await site.node.sh('ip -n web addr add fd00:60::2/64 dev eth0 nodad');
    const { texts } = await probed(site, 'six-one.example:7000', 'files:7000');
    expect(texts).toContain(
      'name six-one.example: ok: is 2001:db8::2 (resolver 192.0.2.2 says so of six-one.example)\nTCP to [2001:db8::2]:7000: failed: ',
    );
    expect(texts).toContain('name files: ok: is 192.0.2.2 (resolver 192.0.2.2 says so of files.lab.example)');
  }, 60_000);

  test('/etc/hosts comes first, and at most two addresses of a family are tried', async () => {
    await using site = await FaultSite.start();
    await site.node.sh(`ip netns pids web | xargs kill
      printf '%s files.example\\n' 192.0.2.2 10.50.0.3 192.0.2.3 fd00::1 > /etc/netns/web/hosts
      ip netns exec web sleep 600 >/dev/null 2>&1 &
      for i in $(seq 500); do grep -qs ^sleep /proc/$!/comm && exit 0; sleep 0.01; done; exit 1`);
    const { texts } = await probed(site, 'Files.Example:80');
    expect(texts).toMatch(
      /name Files\.Example: ok: is 192\.0\.2\.2, 10\.50\.0\.3 and 1 more, which are not tried \(\/etc\/hosts of process \d+\)/,
    );
    expect(texts).toContain('TCP to 192.0.2.2:80: failed: ');
    expect(texts).toContain('TCP to 10.50.0.3:80: ok: ');
    expect(texts).not.toContain('192.0.2.3');
  }, 60_000);
});
