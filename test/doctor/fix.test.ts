import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { fixed, leases, mendingNode } from './mending-node.ts';

describe.if(requires('root', 'ip', 'nft'))('doctor --fix', () => {
  test('a sound node: one line, nothing is done, nothing is recorded', async () => {
    await using node = await mendingNode();
    const { status, stdout, stderr } = await node.type('doctor --fix');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^1 network, 0 attachments, \d+ rules: sound\n$/);
    expect(node.files('/var/log/cni-debug')).toEqual([]);
  });

  test('--dry-run shows the difference and does nothing', async () => {
    await using node = await mendingNode();
    await node.sh(`mkdir -p ${leases} && printf 'gone\\r\\neth0' > ${leases}/10.50.0.9`);
    const { status, stdout } = await node.type('doctor --fix --dry-run --min-age 1ms');
    expect(status).toBe(1);
    expect(stdout).toContain(
      '\nto be mended:\nD001 network lab\n  - lease 10.50.0.9 of gone eth0 in network lab\n',
    );
    expect(node.files(leases)).toEqual(['10.50.0.9']);
    expect(node.files('/var/log/cni-debug')).toEqual([]);
  });

  test('the difference comes before it is done, then what is left, and the journal has a line', async () => {
    await using node = await mendingNode();
    await node.pod('web');
    await node.typed('add lab web');
    await node.sh(`printf 'gone\\r\\neth0' > ${leases}/10.50.0.9`);
    const { status, stdout } = await node.type('doctor --fix --min-age 1ms');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /\nto be mended:\nD001 network lab\n {2}- lease 10\.50\.0\.9 .*\nD001 network lab: 1 done\n\n1 network, 1 attachment, \d+ rules: sound\n$/,
    );
    expect(node.files(leases)).toContain('10.50.0.2');
    expect(node.files(leases)).not.toContain('10.50.0.9');
    const lines = node.read('/var/log/cni-debug/journal.ndjson').trim().split('\n');
    const records = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'mend');
    expect(records).toEqual([
      expect.objectContaining({
        v: 1,
        finding: 'D001',
        object: 'network lab',
        done: ['- lease 10.50.0.9 of gone eth0 in network lab'],
        left: [],
        msg: 'D001 network lab: 1 done',
      }),
    ]);
    const logs = await node.type('logs');
    expect([logs.status, logs.stderr]).toEqual([0, '']);
    expect(logs.stdout).toContain('ms 1 done\n    - lease 10.50.0.9 of gone eth0 in network lab\n');
  });

  test('--dry-run alone is wrong usage', async () => {
    await using node = await mendingNode();
    const { status, stderr } = await node.type('doctor --dry-run');
    expect([status, stderr]).toEqual([2, 'cni-debug doctor: --dry-run is about --fix: say both\n']);
  });

  test('what is younger than --min-age is not touched', async () => {
    await using node = await mendingNode();
    await node.sh(`mkdir -p ${leases} && printf 'gone\\r\\neth0' > ${leases}/10.50.0.9`);
    expect(await fixed(node, '')).toMatchObject({ status: 0, findings: [], mends: [] });
    expect(node.files(leases)).toEqual(['10.50.0.9']);
  });
});
