import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { difference } from '../root/snapshot.ts';
import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';

/** What SEEDS of this project ran: single plugins, one of them without even a name. */
const mynet = {
  ...{ cniVersion: '0.2.0', name: 'mynet', type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true },
  ipam: { type: 'host-local', subnet: '10.22.0.0/16', routes: [{ dst: '0.0.0.0/0' }] },
};
const macvlan = {
  ...{ cniVersion: '0.3.1', name: 'wire', type: 'macvlan', master: 'up0' },
  ipam: { type: 'host-local', subnet: '172.17.0.0/16', rangeStart: '172.17.20.10' },
};
const subnetEnv =
  'FLANNEL_NETWORK=192.168.0.0/16\nFLANNEL_SUBNET=192.168.22.129/26\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n';

async function seeds(): Promise<OperatorNode> {
  const node = await OperatorNode.start();
  node.configure('10-mynet.conf', mynet);
  node.configure('99-loopback.conf', { type: 'loopback' });
  node.configure('20-wire.json', macvlan);
  node.configure('30-chain.conflist', bridgeNetwork('chain', '10.30.0.0/16', [debugPlugin]));
  node.configure('40-flannel.conf', { name: 'fl', type: 'flannel', delegate: { bridge: 'cni1' } });
  await node.sh(
    'mkdir /run/flannel; ip link add up0 type veth peer up1; ip link set up1 up; ip link set up0 up',
  );
  node.write('/run/flannel/subnet.env', subnetEnv);
  return node;
}

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('exec', () => {
  test('by name, by file and with --all, lists and single plugins mixed', async () => {
    await using node = await seeds();
    await node.typed('exec --all -- true');
    const before = await node.snapshot();
    const run = async (words: string, environment = {}) => {
      const stdout = await node.typed(`${words} -- ip -br -4 addr`, { environment });
      const [contid = '', netnspath = '', ...lines] = stdout.trim().split('\n');
      expect(contid).toMatch(/^contid=[0-9a-f]{32}$/);
      expect(netnspath).toBe(`netnspath=/var/run/netns/${contid.slice('contid='.length)}`);
      return lines
        .map((line) => line.split(/ +/))
        .map(([name, , address]) => `${name} ${address}`.replace(/@\S+/, ''));
    };
    expect(await run('exec mynet')).toEqual(['eth0 10.22.0.3/16']);
    expect(await run('exec loopback')).toEqual(['lo 127.0.0.1/8']);
    expect(await run('exec wire', { CNI_ARGS: 'IP=172.17.20.20' })).toEqual(['eth0 172.17.20.20/16']);
    expect(await run('exec fl')).toEqual(['eth0 192.168.22.131/26']);
    expect(await run('exec chain /etc/cni/net.d/10-mynet.conf')).toEqual([
      'eth0 10.30.0.3/16',
      'eth1 10.22.0.4/16',
    ]);
    // In the order of their files: 10, 20, 30, 40, 99.
    expect(await run('exec --all')).toEqual([
      'lo 127.0.0.1/8',
      'eth0 10.22.0.5/16',
      expect.stringMatching(/^eth1 172\.17\.20\.\d+\/16$/),
      'eth2 10.30.0.4/16',
      'eth3 192.168.22.132/26',
    ]);
    expect(difference(before, await node.snapshot())).toEqual([]);
  });

  test('the command has our stdin and stdout, and its status is kept', async () => {
    await using node = await seeds();
    const answer = await node.type('exec -q mynet -- cat', { stdin: 'what comes in' });
    expect(answer).toMatchObject({ status: 0, stdout: 'what comes in', stderr: '' });
    expect((await node.type(['exec', 'mynet', '--', 'sh', '-c', 'exit 7'])).status).toBe(7);
    expect((await node.type(['exec', 'mynet', '--', 'sh', '-c', 'kill -9 $$'])).status).toBe(137);
    expect(await node.type('exec -q mynet -- nonsense')).toMatchObject({
      ...{ status: 127, stdout: '', stderr: 'cni-debug exec: nonsense: not found\n' },
    });
    expect(await node.type('exec -q mynet -- /etc/cni')).toMatchObject({ status: 126, stdout: '' });
    expect(await node.sh('ip netns')).toBe('');
  });

  test('an ADD that fails takes back what was there before it', async () => {
    await using node = await seeds();
    node.configure(
      '50-bad.conflist',
      bridgeNetwork('bad', '10.50.0.0/16', [debugPlugin, { type: 'nowhere' }]),
    );
    await node.type('exec mynet bad -- true');
    const before = await node.snapshot();
    const answer = await node.type('exec mynet bad -- true');
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('network "bad": ADD failed at plugin 3 of 3 ("nowhere")');
    expect(answer.stderr).toContain('record: ');
    expect(difference(before, await node.snapshot())).toEqual([]);
  });

  test('wrong words', async () => {
    await using node = await seeds();
    const answers: [string, number, string][] = [
      ['exec mynet', 2, 'a command is missing behind "--"'],
      ['exec mynet --', 2, 'a command is missing behind "--"'],
      ['exec -- true', 2, 'a network is missing'],
      ['exec --all mynet -- true', 2, 'exclude each other'],
      ['exec nowhere -- true', 1, 'there are: "chain" (/etc/cni/net.d/30-chain.conflist), "mynet"'],
    ];
    for (const [words, status, message] of answers) {
      const answer = await node.type(words);
      expect([words, answer.status, answer.stdout]).toEqual([words, status, '']);
      expect(answer.stderr).toContain(message);
    }
    await node.pod('web');
    expect(await node.type('exec mynet --container-id web -- true')).toMatchObject({
      ...{ status: 3, stdout: '' },
      stderr: 'cni-debug exec: open "/var/run/netns/web": File exists (EEXIST)\n',
    });
    expect(await node.sh('ip netns exec web true; ls /var/lib/cni/cni-debug')).toBe('');
    const nobody = await node.sh(
      'chmod 755 /etc/cni; setpriv --reuid=65534 --clear-groups cni-debug exec mynet -- true 2>&1 || echo status $?',
    );
    expect(nobody).toContain('must be run as root');
    expect(nobody).toContain('status 3');
  });
});
