import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { answered } from '../program.ts';
import { requires } from '../requirements.ts';
import { difference } from '../root/snapshot.ts';
import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';

const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }];
const chain = [debugPlugin, { type: 'portmap', capabilities: { portMappings: true } }];

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))('on a node', () => {
  test.each([
    ['ours', '/opt/cni/bin'],
    ['the reference, with ours behind it', '/opt/cni/reference:/opt/cni/bin'],
    ['a mix of both', '/opt/cni/mixed:/opt/cni/bin'],
  ])('add, check, status and del: %s', async (_, pluginDir) => {
    await using node = await OperatorNode.start();
    await node.sh('mkdir /opt/cni/mixed; ln -s ../reference/portmap ../reference/host-local /opt/cni/mixed');
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', chain));
    await node.pod('web');
    const options = ['--plugin-dir', pluginDir];
    const words = (verb: string) => [verb, 'lab', 'web', ...options];
    // What is there for good: the bridge, forwarding, tables.
    await node.typed([...words('add'), '--capabilities', JSON.stringify({ portMappings })]);
    await node.typed(words('del'));
    const before = await node.snapshot();

    const added = await node.typed([...words('add'), '--capabilities', JSON.stringify({ portMappings })]);
    expect(JSON.parse(added).ips[0].address).toBe('10.22.0.3/16');
    expect(await node.sh('nft list ruleset; iptables-save -t nat')).toContain('8080');
    expect(await node.type(words('check'))).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await node.typed(['status', 'lab', ...options])).toBe(
      'network "lab" is ready: 3 of its plugins say so\n',
    );

    // Not its address: without that, the reference's DEL does not know what it has masqueraded.
    await node.sh('ip -n web route del default');
    const failed = await node.type(words('check'));
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toStartWith(
      'cni-debug check: network "lab": CHECK failed at plugin 1 of 3 ("bridge"): ',
    );

    expect(await node.type(words('del'))).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(difference(before, await node.snapshot())).toEqual([]);
    expect(await node.type(words('del'))).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const unknown = await node.type(words('check'));
    expect(unknown).toMatchObject({ status: 1 });
    expect(unknown.stderr).toContain('has no "eth0" in network "lab": /var/lib/cni/results/lab-cnitool-');
  });

  test('an attachment is cached as libcni does, under the ID that cnitool derives', async () => {
    await using node = await OperatorNode.start();
    const network = bridgeNetwork('lab', '10.22.0.0/16', chain);
    node.configure('10-lab.conflist', network);
    const netns = await node.pod('web');
    const environment = {
      CAP_ARGS: JSON.stringify({ portMappings }),
      CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web',
    };
    const result = JSON.parse(await node.typed('add lab web', { environment }));
    const containerId = `cnitool-${createHash('sha512').update(netns).digest('hex').slice(0, 20)}`;
    expect(node.files('/var/lib/cni/results')).toEqual([`lab-${containerId}-eth0`]);
    const path = `/var/lib/cni/results/lab-${containerId}-eth0`;
    const { config, ...cached } = JSON.parse(node.read(path));
    expect(JSON.parse(Buffer.from(config, 'base64').toString())).toEqual(network);
    expect(cached).toEqual({
      kind: 'cniCacheV1',
      containerId,
      ifName: 'eth0',
      networkName: 'lab',
      netns,
      cniArgs: [
        ['IgnoreUnknown', '1'],
        ['K8S_POD_NAME', 'web'],
      ],
      capabilityArgs: { portMappings },
      result,
    });
    expect(await node.sh(`stat -c %a ${path} /var/lib/cni/results`)).toBe('600\n700\n');
    // The file that del needs least is its own: everything it must know was kept.
    await node.sh('rm /etc/cni/net.d/10-lab.conflist; ip netns del web');
    await node.typed('del lab web');
    expect(await node.sh('nft list ruleset')).not.toContain('8080');
    expect(node.files('/var/lib/cni/results')).toEqual([]);
  });

  test('a failed ADD is undone, and says which plugin, where it stands, and what is recorded', async () => {
    await using node = await OperatorNode.start();
    const broken = { type: 'portmap', conditionsV4: ['--nonsense'] };
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin]));
    node.configure('20-bad.conflist', bridgeNetwork('bad', '10.23.0.0/16', [debugPlugin, broken]));
    node.configure('30-wrapped.conflist', {
      ...{ cniVersion: '1.0.0', name: 'wrapped' },
      plugins: [{ ...debugPlugin, delegate: { type: 'nowhere' } }],
    });
    await node.pod('web');
    await node.type('add bad web');
    const before = await node.snapshot();
    const failed = await node.type('add bad web');
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toStartWith(
      'cni-debug add: network "bad": ADD failed at plugin 3 of 3 ("portmap"): conditionsV4: ',
    );
    expect(failed.stderr).toMatch(
      /\n {2}record: [0-9a-f]{16} in \/var\/log\/cni-debug\/journal.ndjson, of a plugin that did/,
    );
    expect(difference(before, await node.snapshot())).toEqual([]);

    const wrapped = await node.type('add wrapped web --json');
    expect(wrapped).toMatchObject({ status: 1, stderr: '' });
    const { record, ...error } = answered(wrapped);
    expect(error).toMatchObject({
      code: 101,
      chain: { network: 'wrapped', command: 'ADD', plugin: 'debug', position: 1, count: 1 },
    });
    const lines = node
      .read(record.path)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const found = lines.filter(({ id, kind }) => id === record.id && kind === 'call');
    expect(found).toMatchObject([{ error: { code: 101 } }]);
  });

  test('an interface that is there is not touched', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16'));
    node.configure('20-other.conflist', bridgeNetwork('other', '10.23.0.0/16'));
    await node.pod('web');
    await node.typed('add lab web');
    const before = await node.snapshot();
    const again = await node.type('add lab web');
    expect(again.stderr).toContain(
      'already has an interface "eth0" in /var/run/netns/web, by an earlier ADD to network "lab"',
    );
    expect(again.status).toBe(1);
    const other = await node.type('add other web');
    expect(other.stderr).toContain('which is none of this network: choose another name');
    expect(other.status).toBe(1);
    expect(difference(before, await node.snapshot())).toEqual([]);
    await node.typed('add other web --ifname eth1');
    expect(await node.sh('ip -n web -br addr show eth1')).toContain('10.23.0.2/16');
  });

  test('the same again after the namespace was lost: what it had is given back first', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16'));
    await node.pod('web');
    await node.typed('add lab web');
    await node.sh('ip netns del web; ip netns add web');
    const again = await node.type('add lab web');
    expect(again).toMatchObject({ status: 0 });
    expect(again.stderr).toContain('is of an earlier "eth0" that is gone: it gets its DEL first');
    expect(node.files('/var/lib/cni/networks/lab').filter((name) => /^10\./.test(name))).toEqual([
      '10.22.0.3',
    ]);
  });

  test('gc deletes what is gone, and keeps what lives', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin]));
    node.configure('20-old.conflist', bridgeNetwork('old', '10.23.0.0/16', [], '0.4.0'));
    for (const pod of ['web', 'db', 'cache']) await node.pod(pod);
    for (const pod of ['web', 'db', 'cache']) await node.typed(['add', 'lab', pod, '--container-id', pod]);
    await node.typed('add old web --container-id web --ifname eth1');
    await node.sh('ip netns del db');
    // Somebody's lease whose ADD has just begun.
    await node.sh(String.raw`printf 'new\r\neth0' > /var/lib/cni/networks/lab/10.22.0.99`);
    expect(await node.typed('gc lab')).toBe(
      'deleted eth0 of db, which was gone\nnetwork "lab": 1 deleted, then GC of every plugin\n',
    );
    const leases = () => node.files('/var/lib/cni/networks/lab').filter((name) => /^10\./.test(name));
    expect(leases()).toEqual(['10.22.0.2', '10.22.0.4', '10.22.0.99']);
    await node.typed('check lab web --container-id web');

    expect(JSON.parse(await node.typed('gc lab --valid web/eth0 --json'))).toEqual({
      network: 'lab',
      deleted: [{ containerID: 'cache', ifName: 'eth0' }],
    });
    expect(leases()).toEqual(['10.22.0.2']);
    expect(await node.typed('gc old')).toBe(
      'network "old": 0 deleted, then no GC, which 0.4.0 does not have\n',
    );
    await node.typed('add lab cache --container-id cache');
    expect(await node.typed('gc lab --all')).toStartWith('deleted eth0 of web\ndeleted eth0 of cache\n');
    expect(leases()).toEqual([]);
    expect(node.files('/var/lib/cni/results')).toEqual(['old-web-eth1']);
  });

  test('list shows what caches, leases and records know', async () => {
    await using node = await OperatorNode.start();
    expect(await node.type('list')).toMatchObject({
      ...{ status: 0, stdout: '', stderr: 'cni-debug list: no attachments\n' },
    });
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin]));
    for (const pod of ['web', 'db']) await node.pod(pod);
    await node.typed('add lab web --container-id web');
    await node.typed('add lab db --container-id db');
    await node.sh(String.raw`ip netns del db; printf 'lost\r\neth0' > /var/lib/cni/networks/lab/10.22.0.99`);
    const lines = (await node.typed('list'))
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(lines.map((cells) => cells.toSpliced(4, 1))).toEqual([
      ['NETWORK', 'CONTAINER', 'INTERFACE', 'ADDRESSES', 'STATE', 'KNOWN FROM'],
      ['lab', 'web', 'eth0', '10.22.0.2/16', 'alive', 'cache,lease,record'],
      ['lab', 'db', 'eth0', '10.22.0.3/16', 'gone', 'cache,lease,record'],
      ['lab', 'lost', 'eth0', '10.22.0.99', 'unknown', 'lease'],
    ]);
    expect(lines[1]?.[4]).toMatch(/^\d+s$/);
    const [lost] = JSON.parse(await node.typed('list --container lo --json'));
    expect(lost).toMatchObject({ network: 'lab', containerID: 'lost', state: 'unknown', sources: ['lease'] });

    node.write('/var/lib/cni/results/lab-x-eth0', '');
    const damaged = await node.type('list --network lab');
    expect(damaged).toMatchObject({ status: 3 });
    expect(damaged.stdout).toContain('lost');
    expect(damaged.stderr).toContain('/var/lib/cni/results/lab-x-eth0 is damaged: it is empty');
  });

  test('wrong words', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16'));
    node.configure('05-broken.conflist', '{ "name": ');
    await node.pod('web');
    const answers: [string, number, string][] = [
      [
        'add nowhere web',
        1,
        'no network "nowhere" in /etc/cni/net.d; there are: "lab" (/etc/cni/net.d/10-lab.conflist)',
      ],
      [
        'add nowhere web',
        1,
        '/etc/cni/net.d/05-broken.conflist could not be read: the network configuration is not JSON',
      ],
      ['add lab nobody', 1, '"nobody" is no namespace (ip netns), no process, and no container'],
      ['add lab nobody', 1, 'crictl inspect'],
      ['add lab', 2, "missing required argument 'netns'"],
      ['add lab web --capabilities {', 2, 'It is not JSON'],
      ['add lab web --args x', 2, '"x" is no pair of key and value'],
      ['add lab web --timeout soon', 2, 'A duration is a number and ms, s, m or h'],
      ['add lab web --ifname a/b', 1, 'interface name "a/b" must have no "/"'],
      ['add lab web --container-id .x', 1, 'container ID ".x" must begin with'],
      ['add /etc/cni/net.d/none.conflist web', 1, 'none.conflist: ENOENT'],
      ['gc lab --valid web/eth0 --all', 2, 'take one of them'],
      ['gc lab --valid web', 2, 'A container ID and an interface belong there'],
    ];
    for (const [words, status, message] of answers) {
      const answer = await node.type(words);
      expect([words, answer.status, answer.stdout]).toEqual([words, status, '']);
      expect(answer.stderr).toContain(message);
    }
    expect(node.files('/var/lib/cni')).toEqual([]);
  });
});
