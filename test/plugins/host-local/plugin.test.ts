import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { answered, executable, run } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { Network, ours } from './network.ts';

const ipam = {
  ranges: [[{ subnet: '10.1.0.0/29' }], [{ subnet: 'fd00::/64' }]],
  routes: [{ dst: '0.0.0.0/0' }],
};

test('says what it is', async () => {
  const { status, stdout, stderr } = await run(ours);
  expect([status, stdout]).toEqual([0, '']);
  expect(stderr).toStartWith('CNI plugin host-local (cni-debug ');
});

test('runs under Node as it does under its own power', async () => {
  using network = new Network(ipam);
  const link = join(network.folder, 'host-local');
  symlinkSync(join(dirname(executable.BIN), 'cni-debug.cjs'), link);
  const underNode = ['node', link];
  expect(answered(await network.call(underNode, 'ADD', 'a')).ips[1].address).toBe('fd00::2/64');
  expect(await network.call(ours, 'CHECK', 'a')).toMatchObject({ status: 0 });
  expect(await network.call(underNode, 'ADD', 'b')).toMatchObject({ status: 0 });
  expect(await network.call(underNode, 'DEL', 'a')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(network.leases()).toEqual(['10.1.0.3', 'fd00::3']);
});

describe('ADD', () => {
  test('answers with the addresses and the routes', async () => {
    using network = new Network(ipam);
    const { status, stdout, stderr } = await network.call(ours, 'ADD', 'a');
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      cniVersion: '1.1.0',
      ips: [
        { address: '10.1.0.2/29', gateway: '10.1.0.1' },
        { address: 'fd00::2/64', gateway: 'fd00::1' },
      ],
      routes: [{ dst: '0.0.0.0/0' }],
    });
  });

  test('has the dns of a resolv.conf', async () => {
    using network = new Network();
    const resolvConf = join(network.folder, 'resolv.conf');
    const lines = [
      '# comment',
      'nameserver 10.1.0.53 # no comment',
      'nameserver',
      'domain old',
      ' domain example.org',
      'search a b',
      'search c',
      'options ndots:2',
      ';x y',
    ];
    writeFileSync(resolvConf, lines.join('\n'));
    const answer = await network.call(ours, 'ADD', 'a', { ipam: { subnet: '10.1.0.0/24', resolvConf } });
    expect(answered(answer).dns).toEqual({
      nameservers: ['10.1.0.53'],
      domain: 'example.org',
      search: ['a', 'b', 'c'],
      options: ['ndots:2'],
    });
    const missing = await network.call(ours, 'ADD', 'b', {
      ipam: { subnet: '10.1.0.0/24', resolvConf: '/no' },
    });
    expect(answered(missing)).toMatchObject({
      code: 5,
      msg: 'open "/no": No such file or directory (ENOENT)',
    });
    expect(network.leases()).toEqual(['10.1.0.2']);
  });

  test('says what is wrong, and where', async () => {
    using network = new Network({ ranges: [[{ subnet: '10.1.0.0/24', rangeStart: '10.2.0.1' }]] });
    const answer = await network.call(ours, 'ADD', 'a');
    expect(answer.status).toBe(1);
    expect(answered(answer)).toMatchObject({
      code: 7,
      msg: 'ipam.ranges[0][0].rangeStart: invalid range set 0: RangeStart 10.2.0.1 not in network 10.1.0.0/24',
    });
    expect(existsSync(network.dataDir)).toBe(false);
  });
});

describe('DEL', () => {
  test('needs of the configuration only where the leases are', async () => {
    using network = new Network();
    await network.call(ours, 'ADD', 'a');
    const wrong = { ranges: [], routes: 'x', lockTimeout: 5 };
    expect(await network.call(ours, 'DEL', 'a', { ipam: wrong, args: 'K=V' })).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(network.leases()).toEqual([]);
  });

  test('says on stderr what it found', async () => {
    using network = new Network();
    network.write('10.1.0.9', '');
    const { status, stderr } = await network.call(ours, 'DEL', 'a');
    expect(status).toBe(0);
    expect(stderr).toContain('/10.1.0.9: was empty, left by a process that died');
    expect(network.leases()).toEqual([]);
  });
});

describe('GC', () => {
  const listed = (key: string, ...names: string[]) => ({
    [`cni.dev/${key}`]: names.map((containerID) => ({ containerID, ifname: 'eth0' })),
  });
  test.each<[string, object, string[]]>([
    ['no list: nothing to do', {}, ['10.1.0.2', '10.1.0.3']],
    ['null: nothing to do', { 'cni.dev/valid-attachments': null }, ['10.1.0.2', '10.1.0.3']],
    [
      'null beside an empty list: nothing to do',
      { 'cni.dev/valid-attachments': null, 'cni.dev/attachments': [] },
      ['10.1.0.2', '10.1.0.3'],
    ],
    ['an empty list: all', listed('valid-attachments'), []],
    ['those not listed', listed('valid-attachments', 'b'), ['10.1.0.3']],
    ['the older key', listed('attachments', 'a'), ['10.1.0.2']],
    ['the newer key wins', { ...listed('attachments'), ...listed('valid-attachments', 'a') }, ['10.1.0.2']],
  ])('%s', async (_, keys, left) => {
    using network = new Network();
    for (const name of ['a', 'b']) await network.call(ours, 'ADD', name);
    expect(await network.call(ours, 'GC', '', { keys })).toMatchObject({ status: 0, stdout: '' });
    expect(network.leases()).toEqual(left);
    expect(network.files()).toContain('lock');
    expect(network.files()).toContain('last_reserved_ip.0');
  });

  test('a list that cannot be understood frees nothing', async () => {
    using network = new Network();
    await network.call(ours, 'ADD', 'a');
    const keys = { 'cni.dev/valid-attachments': [{ containerID: 'b' }] };
    expect(answered(await network.call(ours, 'GC', '', { keys }))).toMatchObject({
      code: 7,
      msg: 'cni.dev/valid-attachments[0].ifname: is missing',
    });
    expect(network.leases()).toEqual(['10.1.0.2']);
  });
});

test('STATUS says which range set has no address left', async () => {
  using network = new Network({ subnet: '10.1.0.0/30' });
  expect(await network.call(ours, 'STATUS', '')).toMatchObject({ status: 0, stdout: '' });
  await network.call(ours, 'ADD', 'a');
  expect(answered(await network.call(ours, 'STATUS', ''))).toMatchObject({
    code: 50,
    msg: 'no address is free: range set 0 (10.1.0.0/30): 1 of 1 in use',
  });
});

describe.if(requires('root'))('where', () => {
  /** What a script prints that has the executable as `host-local`, the network's folder in `$2`, stdin in `$3`. */
  function inMountNamespace(network: Network, script: string) {
    const whole = `mkdir "$2/bin"; cp "$0" "$2/bin/host-local"; cp "$1" "$2/bin"; PATH="$2/bin:$PATH"
      call() { CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_IFNAME=eth0 CNI_NETNS=/x CNI_PATH=/x host-local < "$stdin"; }
      stdin=$3; ${script}`;
    writeFileSync(join(network.folder, 'stdin'), network.configuration());
    const words = [executable.BIN, executable.KOFFI, network.folder, join(network.folder, 'stdin')];
    return spawnSync('unshare', ['-m', 'bash', '-c', whole, ...words], { encoding: 'utf8' });
  }

  test('/run is read-only, the index is done without', () => {
    using network = new Network();
    const script = 'mount -t tmpfs -o ro none /run; call ADD a; call CHECK a; call DEL a; ls /run';
    const { stdout, stderr } = inMountNamespace(network, script);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).ips[0].address).toBe('10.1.0.2/24');
    expect(network.leases()).toEqual([]);
  });

  test('the disk is full, nothing is taken', () => {
    using network = new Network();
    const script = `mkdir "$2/leases"; mount -t tmpfs -o size=8k none "$2/leases"; mkdir "$2/leases/net"
      head -c 4096 /dev/zero > "$2/leases/net/fill"; head -c 4096 /dev/zero > "$2/leases/fill"
      call ADD a > "$2/answer"; ls "$2/leases/net"; cat "$2/answer"`;
    const { stdout } = inMountNamespace(network, script);
    expect(stdout).toStartWith('fill\nlock\n');
    expect(JSON.parse(stdout.slice('fill\nlock\n'.length))).toMatchObject({
      code: 5,
      msg: `failed to allocate for range 0: write "${network.directory}/10.1.0.2": No space left on device (ENOSPC)`,
    });
  });

  test('the leases are read-only, DEL says so', async () => {
    using network = new Network();
    await network.call(ours, 'ADD', 'a');
    const script = `mount --bind "$2/leases" "$2/leases"; mount -o remount,ro,bind "$2/leases"; call DEL a; call CHECK a`;
    const { stdout } = inMountNamespace(network, script);
    expect(JSON.parse(stdout)).toMatchObject({
      code: 5,
      msg: `unlink "${network.directory}/10.1.0.2": Read-only file system (EROFS)`,
    });
    expect(network.leases()).toEqual(['10.1.0.2']);
  });

  test('the index is, nobody else can look', async () => {
    using network = new Network();
    await network.call(ours, 'ADD', 'a');
    const { dev, ino } = statSync(network.directory);
    const path = `/run/cni-debug/host-local/${dev}-${ino}.index`;
    expect([statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
  });
});
