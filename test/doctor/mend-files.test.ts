import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { fixed, leases, mendedAfter, mendingNode, mendOf, results } from './mending-node.ts';

describe.if(requires('root', 'ip'))('leases of zero bytes', () => {
  const line = '- lease 10.50.0.9 of nobody in network lab';

  test('are removed when nobody has the address', async () => {
    await using node = await mendingNode();
    await node.sh(`mkdir -p ${leases} && : > ${leases}/10.50.0.9`);
    const answer = await fixed(node);
    expect(mendOf(answer, 'D004')).toMatchObject({ done: [line], left: [] });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [] } });
    expect(node.files(leases)).not.toContain('10.50.0.9');
  });

  test('stay when somebody has the address at the second look, or wrote his name', async () => {
    await using node = await mendingNode();
    await node.sh(`mkdir -p ${leases} && : > ${leases}/10.50.0.9`);
    const held = 'ip netns add a && ip -n a addr add 10.50.0.9/24 dev lo';
    expect(await mendedAfter(node, 'D004', held)).toMatchObject({
      done: [],
      left: ['lease 10.50.0.9 of nobody in network lab: lo in /run/netns/a has 10.50.0.9'],
    });
    await node.sh('ip netns del a');
    const written = `printf 'new\\r\\neth0' > ${leases}/10.50.0.9`;
    expect(await mendedAfter(node, 'D004', written)).toMatchObject({
      done: [],
      left: ['lease 10.50.0.9 of nobody in network lab: it was given away anew meanwhile'],
    });
    expect(node.read(`${leases}/10.50.0.9`)).toBe('new\r\neth0');
  });

  test('of a container that lives say its name again, so that nobody else gets the address', async () => {
    await using node = await mendingNode();
    await node.pod('web');
    await node.typed('add lab web');
    const before = node.read(`${leases}/10.50.0.2`);
    await node.sh(`: > ${leases}/10.50.0.2`);
    const answer = await fixed(node);
    expect(mendOf(answer, 'D004')).toMatchObject({
      done: [expect.stringMatching(/^\+ lease 10\.50\.0\.2 of cnitool-[0-9a-f]{20} eth0 in network lab$/)],
    });
    expect(answer.status).toBe(0);
    expect(node.read(`${leases}/10.50.0.2`)).toBe(before);
    await node.typed('check lab web');
    await node.pod('db');
    expect(JSON.parse(await node.typed('add lab db --json')).ips[0].address).toBe('10.50.0.3/24');
    await node.typed('del lab web');
    expect(node.files(leases)).not.toContain('10.50.0.2');
  });
});

describe.if(requires('root', 'ip'))('the address of a container that has given it on', () => {
  test('stays leased, as when a virtual machine in its namespace has it', async () => {
    await using node = await mendingNode();
    await node.pod('web');
    await node.typed('add lab web');
    await node.sh(`: > ${leases}/10.50.0.2; ip -n web link set eth0 down; ip -n web link set eth0 name nic0`);
    await node.sh('ip -n web addr flush dev nic0; ip -n web link set nic0 up');
    const { done, left } = mendOf(await fixed(node), 'D004') ?? {};
    expect([done, left]).toEqual([[], [expect.stringMatching(/: 10\.50\.0\.2 was given to cnitool-.* in /)]]);
    expect(node.files(leases)).toContain('10.50.0.2');
  });
});

describe.if(requires('root', 'ip'))('cached attachments of zero bytes', () => {
  const path = `${results}/lab-3f2a0c-eth0`;
  const empty = `mkdir -p ${results} && : > ${path}`;

  test('are removed when nothing is known by their ID', async () => {
    await using node = await mendingNode();
    await node.sh(empty);
    const answer = await fixed(node);
    expect(mendOf(answer, 'D005')).toMatchObject({ done: [`- empty file ${path}`], left: [] });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [] } });
    expect(await node.sh('find /var/lib/cni -type f')).toBe('');
  });

  test('stay when their container lives, or may live', async () => {
    await using node = await mendingNode();
    await node.pod('web');
    await node.typed('add lab web');
    await node.sh(`for file in ${results}/*; do : > $file; done; : > ${results}/other-1234-eth0`);
    const answer = await fixed(node);
    expect(answer.status).toBe(1);
    const left = answer.mends.filter(({ finding }) => finding === 'D005').flatMap((mend) => mend.left);
    expect(left.toSorted()).toEqual([
      expect.stringMatching(/\/lab-cnitool-[0-9a-f]+-eth0: the container is there: \/var\/run\/netns\/web$/),
      expect.stringMatching(/\/other-1234-eth0: its name begins with no network that is known/),
    ]);
    expect(node.files(results)).toHaveLength(2);
  });

  // The ID itself is not in the scripts: whoever runs them has those in his command line.
  test.each([
    ['written into', `echo '{}' > ${path}`, 'it is not empty any more'],
    [
      'open in a process',
      `exec 9>>$(echo ${results}/lab-3f2a*); sleep 5 >&- 2>&- & sleep 0.2`,
      'it is being written',
    ],
    [
      'of a process',
      'sh -c "sleep 5; :" 3f2a""0c >&- 2>&- &',
      'has its ID in its control group or command line',
    ],
    [
      'of a call',
      'CNI_COMMAND=DEL CNI_CONTAINERID=3f2a0c CNI_IFNAME=eth0 sleep 5 >&- 2>&- &',
      'is at its DEL',
    ],
  ])('stay when they are %s at the second look', async (_, script, reason) => {
    await using node = await mendingNode();
    await node.sh(empty);
    const { done, left } = await mendedAfter(node, 'D005', script);
    expect([done, left]).toEqual([[], [expect.stringContaining(reason)]]);
    expect(node.files(results)).toEqual(['lab-3f2a0c-eth0']);
  });
});

describe.if(requires('root', 'ip', 'nft'))('attachments whose container is gone', () => {
  test('get their DEL, and nothing is left', async () => {
    await using node = await mendingNode();
    for (const name of ['web', 'db']) await node.pod(name);
    await node.typed('add lab db');
    const before = await node.snapshot();
    await node.typed('add lab web');
    await node.sh('ip netns del web');
    const answer = await fixed(node);
    expect(mendOf(answer, 'D006')).toMatchObject({
      done: [expect.stringMatching(/^- attachment of cnitool-[0-9a-f]+ eth0 to network lab$/)],
      left: [],
    });
    expect(answer).toMatchObject({ status: 0, remaining: { findings: [] } });
    const now = (await node.snapshot()).filter((line) => !line.includes('/run/netns/web'));
    expect(now.filter((line) => !before.includes(line))).toEqual([]);
    await node.typed('check lab db');
  });

  test.each([
    [
      'attached anew',
      'ip netns add web; ip -n web link set lo up; cni-debug add lab web >/dev/null',
      /attached anew/,
    ],
    ['in a namespace of the same path', 'ip netns add web', /the container is there/],
  ])('stay when they are %s at the second look', async (_, script, reason) => {
    await using node = await mendingNode();
    await node.pod('web');
    await node.typed('add lab web');
    await node.sh('ip netns del web');
    const { done, left } = await mendedAfter(node, 'D006', script);
    expect([done, left]).toEqual([[], [expect.stringMatching(reason)]]);
    expect(node.files(results)).toHaveLength(1);
  });

  test('what was done before a signal is said, and what was left', async () => {
    await using node = await mendingNode([]);
    const pods = Array.from({ length: 12 }, (_, number) => `web${number}`);
    for (const name of pods) {
      await node.pod(name);
      await node.typed(`add lab ${name}`);
    }
    await node.sh(pods.map((name) => `ip netns del ${name}`).join('; '));
    const some = `while [ $(ls ${results} | wc -l) -gt 10 ]; do sleep 0.01; done`;
    await node.run(
      `cni-debug doctor --fix --json --min-age 1ms >/dev/null 2>&1 & ${some}; kill -TERM $!; wait $!`,
    );
    const lines = node.read('/var/log/cni-debug/journal.ndjson').trim().split('\n');
    const { done, left } = lines.map((line) => JSON.parse(line)).find(({ finding }) => finding === 'D006');
    expect(left).toHaveLength(node.files(results).length);
    expect(done).toHaveLength(pods.length - left.length);
    expect(left.length).toBeGreaterThan(0);
  });

  test('are not touched when only the path has gone', async () => {
    await using node = await mendingNode();
    await node.pod('web');
    await node.typed('add lab web');
    await node.sh('touch /run/netns/kept; mount --bind /run/netns/web /run/netns/kept; ip netns del web');
    expect((await fixed(node)).mends).toEqual([]);
    expect(node.files(results)).toHaveLength(1);
    await node.sh('ping -c 1 -W 2 10.50.0.2');
  });
});

describe.if(requires('root', 'ip', 'nft'))('calls that were killed', () => {
  test('are taken back first of all', async () => {
    await using node = await mendingNode([]);
    await node.pod('web');
    const before = await node.snapshot();
    const claim = '/var/lib/cni/cni-debug/lab-3f2a-eth0';
    const list = { cniVersion: '1.1.0', name: 'lab', plugins: [{ type: 'bridge', bridge: 'br-lab' }] };
    const entry = {
      ...{ kind: 'cniCacheV1', containerId: '3f2a', ifName: 'eth0', networkName: 'lab' },
      ...{ config: Buffer.from(JSON.stringify(list)).toString('base64'), netns: '/var/run/netns/web' },
    };
    await node.sh('mkdir -p /var/lib/cni/cni-debug');
    node.write(claim, { 'plugin-dir': '/opt/cni/bin', attachments: [entry] });
    const dry = await node.type('doctor --fix --dry-run');
    expect(dry.stdout).toContain('- call that was killed: 3f2a eth0 in network lab');
    expect([dry.status, node.files('/var/lib/cni/cni-debug')]).toEqual([1, ['lab-3f2a-eth0']]);
    const answer = await fixed(node);
    expect(answer.mends[0]).toMatchObject({
      finding: 'D008',
      done: ['- call that was killed: 3f2a eth0 in network lab'],
    });
    expect(answer.status).toBe(0);
    expect((await node.snapshot()).filter((line) => !before.includes(line))).toEqual([]);
  });
});
