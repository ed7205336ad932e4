// Makes test/fixtures/netlink/sent-by-ip.hex anew: `bun test/kernel/netlink/capture-sent.ts`, as root, with strace. It
// is what `ip` and `bridge` send for what our own functions do; the kernel may refuse it, as VLANs where it filters none.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { scratchNamespace } from '../scratch.ts';

const COMMANDS = [
  'ip link add name br1 address 02:00:00:00:00:21 mtu 1400 up type bridge',
  'ip link add name br2 type bridge vlan_filtering 1',
  'ip link add name veth1 address 02:00:00:00:00:22 mtu 1400 up master br0 type veth peer name eth1 address 02:00:00:00:00:23 mtu 1400 netns NETNS',
  'ip link add name macvlan1 link veth0 address 02:00:00:00:00:24 mtu 1300 up netns NETNS type macvlan mode private bcqueuelen 500',
  'ip link set dev veth0 address 02:00:00:00:00:25 mtu 1300 up promisc on alias shop master br0 addrgenmode none',
  'ip link set dev veth0 down promisc off nomaster name veth5 netns NETNS',
  'ip link set dev port0 type bridge_slave hairpin on isolated off',
  'ip link delete dev port0',
  'bridge link set dev port0 hairpin on isolated on',
  'bridge vlan add dev port0 vid 10 pvid untagged master',
  'bridge vlan add dev port0 vid 20-30 master',
  'bridge vlan add dev br0 vid 40 self',
  'bridge vlan delete dev port0 vid 1 master',
  'ip address add 10.22.0.5/12 broadcast + dev veth0',
  'ip address add 10.22.0.5/31 dev veth0',
  'ip address add 169.254.0.5/32 scope link dev veth0',
  'ip address add fd00:22::5/64 nodad dev veth0',
  'ip address delete 10.22.0.5/12 dev veth0',
  'ip route add default via 10.22.0.1 dev veth0 metric 7 mtu 1400 advmss 1360',
  'ip route add 10.30.0.0/16 dev veth0 table 1000 proto 99',
  'ip route append 10.31.0.0/16 via 10.22.0.1 src 10.22.0.5 table 100 onlink dev veth0',
  'ip route prepend 10.31.0.0/16 via inet6 fd00:22::1 dev veth0',
  'ip route replace fd00:40::/64 via fd00:22::1 dev veth0',
  'ip route add unreachable 10.60.0.0/16',
  'ip route delete 10.30.0.0/16 dev veth0 table 1000',
  'ip neighbour add 10.22.0.9 lladdr 02:00:00:00:00:09 dev veth0',
  'ip neighbour replace fd00:22::9 lladdr 02:00:00:00:00:09 dev veth0',
  'ip neighbour delete 10.22.0.9 dev veth0',
];

const folder = mkdtempSync(`${tmpdir()}/sent-by-ip-`);
const pod = scratchNamespace();
const lines = COMMANDS.map((command) => `${lastSent(command).toString('hex')} ${command}\n`);
writeFileSync(
  `${import.meta.dir}/../../fixtures/netlink/sent-by-ip.hex`,
  `# The last message that each command sends; br0 has index 2, veth0 4, port0 6\n${lines.join('')}`,
);
pod.remove();
rmSync(folder, { recursive: true });

/** In a namespace that no other command has changed. */
function lastSent(command: string): Buffer {
  const node = scratchNamespace(
    'link add br0 type bridge',
    'link add veth0 type veth peer name eth0',
    'link add port0 type veth peer name other0',
    'link set port0 master br0',
  );
  try {
    const [program = '', ...args] = command.replaceAll('NETNS', pod.name).split(' ');
    const trace = ['-qq', '-e', 'trace=sendmsg', '-e', 'write=all', '-o', `${folder}/trace`];
    spawnSync('strace', [...trace, program, '-n', node.name, ...args]);
    const sent = readFileSync(`${folder}/trace`, 'utf8')
      .split(/^sendmsg/m)
      .slice(1);
    const dump = sent.at(-1)?.match(/^ \| [0-9a-f]{5} {2}.{48}/gm) ?? [];
    if (dump.length === 0) throw new Error(`"${command}" sends nothing`);
    return Buffer.from(dump.map((line) => line.slice(9).replaceAll(' ', '')).join(''), 'hex');
  } finally {
    node.remove();
  }
}
