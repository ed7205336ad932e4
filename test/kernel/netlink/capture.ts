// Makes test/fixtures/netlink anew: `bun test/kernel/netlink/capture.ts`, as root. The expectations in the tests beside
// this file are of the namespace that is made here.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { stringAttribute, u32Attribute } from '../../../src/kernel/netlink/attribute.ts';
import { openChannel } from '../../../src/kernel/netlink/channel.ts';
import { decodeMessages, encodeMessage } from '../../../src/kernel/netlink/message.ts';
import { openNamespace, runIn } from '../../../src/kernel/netns.ts';
import { scratchNamespace } from '../scratch.ts';

const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_GETADDR = 22;
const RTM_GETROUTE = 26;
const RTM_GETNEIGH = 30;
const RTM_GETRULE = 34;
const RTM_GETNETCONF = 82;
const REQUEST_AND_DUMP = 0x301;
const REQUEST_AND_ACK = 0x5;

const pod = scratchNamespace();
const node = scratchNamespace();
try {
  node.ip(
    'link add br0 address 02:00:00:00:00:10 type bridge',
    'link add veth0 address 02:00:00:00:00:11 type veth peer name eth0 address 02:00:00:00:00:01',
    'link set veth0 master br0 up',
    'link set br0 up',
    `link set eth0 netns ${pod.name}`,
  );
  pod.ip(
    'link set lo up',
    'link set eth0 mtu 1450 alias "bridge of shop, eth0"',
    'link set eth0 up',
    'link add macvlan0 link eth0 address 02:00:00:00:00:07 type macvlan mode bridge',
    'link add left address 02:00:00:00:00:0a type veth peer name right address 02:00:00:00:00:0b',
    'address add 10.22.0.5/16 dev eth0',
    'address add 10.22.0.9/32 peer 10.22.0.1/32 dev eth0 label eth0:far',
    'address add fd00:22::5/64 dev eth0 nodad',
    'address del fe80::ff:fe00:1/64 dev eth0',
    'route add default via 10.22.0.1 dev eth0 metric 7 mtu 1400 advmss 1360',
    'route add 10.30.0.0/16 dev eth0 scope link table 1000 proto 99',
    'route add 10.40.0.0/16 nexthop via 10.22.0.1 weight 3 nexthop via 10.22.0.2 weight 1',
    'route add 10.50.0.0/16 via inet6 fd00:22::1 dev eth0',
    'route add unreachable 10.60.0.0/16',
    'route add default via fd00:22::1 dev eth0',
    'route add fd00:40::/64 nexthop via fd00:22::1 dev eth0 nexthop via fd00:22::2 dev eth0',
  );
  const skipStats = u32Attribute(29, 8);
  const namespace = openNamespace(pod.path);
  const channel = runIn(namespace, () => openChannel(0));
  const ask = (type: number, flags: number, payload: Buffer, from = channel): Buffer[] => {
    from.send(encodeMessage({ type, flags, sequence: 1, payload }));
    const datagrams: Buffer[] = [];
    for (;;) {
      const datagram = from.receive();
      if (!(datagram instanceof Buffer)) throw new Error(`received ${datagram}`);
      datagrams.push(datagram);
      if (decodeMessages(datagram).some((message) => message.type === 2 || message.type === 3))
        return datagrams;
    }
  };
  const save = (file: string, what: string, datagrams: Buffer[], { portId } = channel): void =>
    writeFileSync(
      `${import.meta.dir}/../../fixtures/netlink/${file}.hex`,
      `# ${what}; one datagram a line; Linux ${release().split('-')[0]}, port ID ${portId}, sequence 1\n${datagrams
        .map((datagram) => `${datagram.toString('hex')}\n`)
        .join('')}`,
    );
  const ifinfomsg = Buffer.alloc(16);
  save('links', 'RTM_GETLINK', ask(RTM_GETLINK, REQUEST_AND_DUMP, Buffer.concat([ifinfomsg, skipStats])));
  save('addresses', 'RTM_GETADDR', ask(RTM_GETADDR, REQUEST_AND_DUMP, Buffer.alloc(8)));
  save('routes', 'RTM_GETROUTE', ask(RTM_GETROUTE, REQUEST_AND_DUMP, Buffer.alloc(12)));
  const missing = Buffer.concat([ifinfomsg, stringAttribute(3, 'missing')]);
  save('missing-link', 'RTM_GETLINK of a link that is not there', ask(RTM_GETLINK, REQUEST_AND_ACK, missing));
  const tooLong = Buffer.concat([ifinfomsg, stringAttribute(3, 'sixteen-letters-')]);
  save(
    'refused-link',
    'RTM_DELLINK with a name that is too long',
    ask(RTM_DELLINK, REQUEST_AND_ACK, tooLong),
  );
  const prefixed = Buffer.from([2, 24, 0, 0, 0, 0, 0, 0]);
  save('refused-dump', 'RTM_GETADDR with a prefix length', ask(RTM_GETADDR, REQUEST_AND_DUMP, prefixed));
  pod.ip(
    'neighbour add 10.22.0.7 lladdr 02:00:00:00:00:07 dev eth0',
    'neighbour add fd00:22::7 dev eth0 nud failed',
  );
  pod.ip(
    'rule add priority 100 from 10.22.0.5 to 10.30.0.0/16 iif eth0 table 1000 protocol 99',
    'rule add priority 200 not fwmark 0x2000/0xf000 ipproto tcp dport 80-90 oif eth0 tos 0x10 goto 32766',
    'rule add priority 300 table main suppress_prefixlength 0',
    'rule add priority 1000 l3mdev',
  );
  const rule6 = 'rule add priority 400 from fd00:22::/64 uidrange 1000-1999 sport 53 blackhole';
  execFileSync('ip', ['-n', pod.name, '-6', ...rule6.split(' ')]);
  save('rules', 'RTM_GETRULE', ask(RTM_GETRULE, REQUEST_AND_DUMP, Buffer.alloc(12)));
  const ofAll = Buffer.concat([Buffer.from([2, 0, 0, 0]), u32Attribute(1, -1 >>> 0)]);
  save('netconf', 'RTM_GETNETCONF of all links, IPv4', ask(RTM_GETNETCONF, REQUEST_AND_ACK, ofAll));
  const neighbours = ask(RTM_GETNEIGH, REQUEST_AND_DUMP, Buffer.alloc(12));
  save('neighbours', 'RTM_GETNEIGH', neighbours);
  channel.close();
  namespace.close();

  node.ip('link set veth0 type bridge_slave hairpin on isolated on');
  const nodeNamespace = openNamespace(node.path);
  const nodeChannel = runIn(nodeNamespace, () => openChannel(0));
  const ofBridges = Buffer.from(ifinfomsg);
  ofBridges[0] = 7;
  const ports = ask(RTM_GETLINK, REQUEST_AND_DUMP, ofBridges, nodeChannel);
  save('bridge-ports', 'RTM_GETLINK of AF_BRIDGE', ports, nodeChannel);
  const port = Buffer.concat([ifinfomsg, skipStats, stringAttribute(3, 'veth0')]);
  save(
    'port-link',
    'RTM_GETLINK of veth0',
    ask(RTM_GETLINK, REQUEST_AND_ACK, port, nodeChannel),
    nodeChannel,
  );
  nodeChannel.close();
  const [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE] = [1, 5, 7];
  const groups = [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE];
  const listener = runIn(nodeNamespace, () => openChannel(0, groups));
  node.ip('link set veth0 nomaster', 'address add 10.22.0.1/16 dev br0', 'link del veth0');
  const heard: Buffer[] = [];
  for (let datagram = listener.receive(); datagram instanceof Buffer; datagram = listener.receive())
    heard.push(datagram);
  save('announcements', 'veth0 leaves br0, br0 gets an address, veth0 goes', heard, listener);
  listener.close();
  nodeNamespace.close();
} finally {
  pod.remove();
  node.remove();
}
