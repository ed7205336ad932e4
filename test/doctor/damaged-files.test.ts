import { describe, expect, test } from 'bun:test';
import { canRun, diagnosis, doctor, findings, ofOther, soundNode } from './doctor-node.ts';

const leases = '/var/lib/cni/networks/lab';
const results = '/var/lib/cni/results';

describe.if(canRun)('leases that say no owner', () => {
  test('an empty one is named, and what is typed frees the address', async () => {
    await using node = await soundNode();
    expect(await diagnosis(node)).toEqual([]);
    await node.sh(`: >${leases}/10.50.0.9; : >${leases}/10.50.0.10`);
    expect(await diagnosis(node)).toEqual(['D004 lease 10.50.0.10', 'D004 lease 10.50.0.9']);
    const [found] = await findings(node);
    expect(found).toMatchObject({
      severity: 'warning',
      cause: `${leases}/10.50.0.10 is empty`,
      evidence: [{ source: `od -c ${leases}/10.50.0.10`, text: 'nothing' }],
      undo: [`: >${leases}/10.50.0.10`],
    });
    await node.sh(found!.fix.at(-1)!);
    expect(await diagnosis(node)).toEqual(['D004 lease 10.50.0.9']);
  });

  test('another format, and a folder', async () => {
    await using node = await soundNode();
    await node.sh(`printf 'two words\\n' >${leases}/10.50.0.9; mkdir ${leases}/10.50.0.10`);
    const found = await findings(node);
    expect(found.map(({ cause }) => cause)).toEqual([
      `${leases}/10.50.0.10 is a folder`,
      `${leases}/10.50.0.9 names no owner`,
    ]);
    expect(found[1]?.evidence).toEqual([{ source: `od -c ${leases}/10.50.0.9`, text: '"two words"' }]);
    for (const { fix } of found) await node.sh(fix.join('\n'));
    expect(await diagnosis(node)).toEqual([]);
    await node.sh(found[1]!.undo.join('\n'));
    expect(await diagnosis(node)).toEqual(['D004 lease 10.50.0.9']);
  });

  test('that of a container that lives is an error, and gets its owner again', async () => {
    await using node = await soundNode();
    const before = node.read(`${leases}/10.50.0.2`);
    await node.sh(`: >${leases}/10.50.0.2`);
    const [found] = await findings(node);
    expect(found).toMatchObject({ id: 'D004', severity: 'error', object: 'lease 10.50.0.2' });
    expect(found?.evidence[1]?.text).toBe('10.50.0.2 eth0');
    await node.sh(found!.fix.join('\n'));
    expect(node.read(`${leases}/10.50.0.2`)).toBe(before);
    expect(await diagnosis(node)).toEqual([]);
  });

  test('a pool that they have filled stands below them', async () => {
    await using node = await soundNode();
    await node.sh(`for last in $(seq 3 14); do : >${leases}/10.50.0.$last; done`);
    const found = await diagnosis(node);
    expect(found.filter((line) => line.startsWith('D004'))).toHaveLength(12);
    expect(found.filter((line) => line.includes('D002'))).toEqual(['  D002 network lab']);
  });

  test('none of: a young one, the lock, the last address, another spelling, another network', async () => {
    await using node = await soundNode();
    await node.sh(`: >${leases}/10.50.0.9`);
    expect(await diagnosis(node, 'doctor')).toEqual([]);
    expect(await diagnosis(node, `${doctor} ${ofOther(node)}`)).toEqual([]);
    await node.sh(`rm ${leases}/10.50.0.9; : >${leases}/lock; : >${leases}/last_reserved_ip.0`);
    await node.sh(`: >${leases}/10.50.0.9.damaged; : >${leases}/::ffff:10.50.0.9`);
    expect(await diagnosis(node)).toEqual([]);
  });
});

describe.if(canRun)('cached attachments that make no sense', () => {
  test.each([
    ['nothing', '', 'has zero bytes where a cached attachment belongs'],
    ['half of one', '{"kind": "cniCacheV1", "containerId', 'is damaged: unterminated string'],
    [
      'another program’s',
      '{"kind": "other"}',
      'is damaged: it has the kind "other" where "cniCacheV1" belongs',
    ],
    ['spaces', ' \n', 'is damaged: it is empty'],
  ])('%s', async (_, content, cause) => {
    await using node = await soundNode();
    const path = `${results}/lab-gone-eth0`;
    node.write(path, content);
    const found = await diagnosis(node);
    expect(found[0]).toBe(`D005 file ${path}`);
    const [first] = await findings(node);
    expect(first?.severity).toBe('error');
    expect(first?.cause).toStartWith(cause);
    await node.sh(first!.fix.join('\n'));
    expect(await diagnosis(node)).toEqual([]);
    await node.sh(first!.undo.join('\n'));
    expect(await diagnosis(node)).toEqual(found);
  });

  test('a young one, and a bare result of old, are not named; that they were not looked at is said', async () => {
    await using node = await soundNode();
    const path = `${results}/lab-gone-eth0`;
    node.write(path, '');
    expect(await diagnosis(node, 'doctor')).toEqual([
      `not looked at: ${path}: is no cached attachment, and so young that it may just be being written`,
    ]);
    node.write(path, '{"cniVersion": "0.4.0", "ips": []}');
    expect(await diagnosis(node)).toContainEqual(
      `not looked at: ${path}: is the result of an attachment, and does not say of which: libcni wrote them so`,
    );
  });

  test('of another network', async () => {
    await using node = await soundNode();
    node.write(`${results}/lab-gone-eth0`, '');
    expect(await diagnosis(node, `${doctor} ${ofOther(node)}`)).toEqual([]);
    expect((await diagnosis(node, `${doctor} --network lab`))[0]).toStartWith('D005 ');
  });

  test('what controls a terminal is not sent to it', async () => {
    await using node = await soundNode();
    node.write(`${results}/lab-\u001b[31m-eth0`, '\u001b[2J');
    const { stdout, stderr } = await node.type(doctor);
    expect(stdout).toContain('D005 error');
    expect(stdout + stderr).not.toContain('\u001b');
  });
});
