import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';

const args = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx';
const capabilities = '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}';
const attaching = ['--container-id', 'c1', '--args', args, '--capabilities', capabilities];

async function lab(): Promise<OperatorNode> {
  const node = await OperatorNode.start();
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin, portmap]));
  await node.pod('web');
  return node;
}

/** Without what differs from run to run. */
function settled(text: string): string {
  return (
    text
      .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC')
      .replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, 'TIME')
      .replace(/\d+\.\d ms/g, 'N ms')
      .replace(/record [0-9a-f]{16}/g, 'record ID')
      .replace(/masquerade_[0-9a-f]+/g, 'masquerade_HASH')
      .replace(/\d+s old/, 'Ns old')
      // Some kernels have no br_netfilter.
      .replace(/\n *net\.bridge\.bridge-nf-call-iptables \d/, '')
  );
}

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))('explain', () => {
  test('everything that is known of a sound attachment, on one screen', async () => {
    await using node = await lab();
    await node.typed(['add', 'lab', 'web', ...attaching]);
    const shown = await node.type('explain default/nginx');
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(settled(shown.stdout)).toMatchSnapshot();
    expect(shown.stdout.split('\n').length).toBeLessThan(40);
    for (const word of ['c1', 'web', 'nginx', '/var/run/netns/web'])
      expect(settled((await node.type(['explain', word])).stdout)).toBe(settled(shown.stdout));
    const [explained] = JSON.parse(await node.typed('explain c1 --json'));
    expect(explained).toMatchObject({
      network: 'lab',
      containerID: 'c1',
      pod: 'default/nginx',
      state: 'alive',
    });
    expect(explained.sections.map(({ title }: { title: string }) => title)).toEqual([
      ...['chain', 'container', 'node', 'leases', 'nat', 'sysctls', 'cache', 'calls', 'differs'],
    ]);
  });

  test('what is not as its runtime holds it, and as the records say', async () => {
    await using node = await lab();
    await node.typed(['add', 'lab', 'web', ...attaching]);
    await node.sh('ip -n web route del default; rm /var/lib/cni/networks/lab/10.22.0.2');
    await node.sh(String.raw`printf 'c1\r\neth0' > /var/lib/cni/networks/lab/10.22.0.77`);
    const path = '/var/lib/cni/results/lab-c1-eth0';
    node.write(path, node.read(path).replace('10.22.0.2/16', '10.22.0.3/16'));
    const shown = await node.type('explain c1');
    expect(shown.status).toBe(1);
    const differs = shown.stdout.slice(shown.stdout.indexOf('  differs'));
    for (const part of [
      '10.22.0.3/16 is no address of "eth0" in /var/run/netns/web',
      'there is no route to 0.0.0.0/0 in /var/run/netns/web',
      'of its ADD has 10.22.0.2, and the result of its runtime 10.22.0.3',
      'nobody holds a lease of 10.22.0.3: another container may get it',
      'the lease of 10.22.0.77 (/var/lib/cni/networks/lab/10.22.0.77) is in no result',
    ])
      expect(differs).toContain(part);
  });

  test('what the reference has made, and what has become of it', async () => {
    await using node = await lab();
    const environment = { CNI_PATH: '/opt/cni/reference:/opt/cni/bin' };
    await node.typed(['add', 'lab', 'web', ...attaching], { environment });
    const alive = await node.typed('explain c1');
    expect(alive).toMatch(/nat +iptables: CNI-[0-9a-f]{24} in table ip nat \(the reference's\)/);
    await node.sh('ip netns del web; rm /etc/cni/net.d/10-lab.conflist');
    const gone = await node.type('explain c1');
    expect(gone.status).toBe(1);
    expect(gone.stdout).toContain('in network "lab": gone');
    expect(gone.stdout).toContain('no file has this network any more');
    expect(gone.stdout).toContain('1 bridge');
    expect(gone.stdout).toContain('not looked at: stat "/var/run/netns/web": No such file or directory');
  });

  test('nobody', async () => {
    await using node = await lab();
    const answer = await node.type('explain nobody');
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('no attachment of nobody is known\n  there is none at all');
  });
});
