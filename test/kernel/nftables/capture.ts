// Makes test/fixtures/nftables anew: `bun test/kernel/nftables/capture.ts`, as root, with nft, strace and conntrack. ruleset.nft is
// what it loads; `sent` is what nft sends for that, the others are what the kernel answers when it is asked.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { stringAttribute } from '../../../src/kernel/netlink/attribute.ts';
import { openChannel } from '../../../src/kernel/netlink/channel.ts';
import { decodeMessages, encodeMessage } from '../../../src/kernel/netlink/message.ts';
import { netfilterPayload } from '../../../src/kernel/netlink/nfgenmsg.ts';
import { openNamespace, runIn } from '../../../src/kernel/netns.ts';
import { scratchNamespace } from '../scratch.ts';

const NETLINK_NETFILTER = 12;
const REQUEST_AND_DUMP = 0x301;
const IPCTNL_MSG_CT_GET = 0x101;
const INET = 1;
const BRIDGE = 7;

const scratch = scratchNamespace();
const trace = `${tmpdir()}/nftables-capture-${process.pid}`;
try {
  const strace = ['strace', '-o', trace, '-e', 'trace=sendmsg', '-e', 'write=3'];
  const nft = ['nft', '-f', `${import.meta.dir}/ruleset.nft`];
  execFileSync('ip', ['netns', 'exec', scratch.name, ...strace, ...nft]);
  save('sent', 'what nft 1.0.6 sends for ruleset.nft', [sentBytes(readFileSync(trace, 'utf8'))]);

  const namespace = openNamespace(scratch.path);
  const channel = runIn(namespace, () => openChannel(NETLINK_NETFILTER));
  namespace.close();
  const ask = (type: number, family: number, ...names: string[]): Buffer[] => {
    const attributes = names.map((name, index) => stringAttribute(index + 1, name));
    const payload = netfilterPayload(family, 0, ...attributes);
    channel.send(encodeMessage({ type, flags: REQUEST_AND_DUMP, sequence: 1, payload }));
    const datagrams: Buffer[] = [];
    for (;;) {
      const datagram = channel.receive();
      if (!(datagram instanceof Buffer)) throw new Error(`received ${datagram}`);
      datagrams.push(datagram);
      if (decodeMessages(datagram).some((message) => message.type === 2 || message.type === 3))
        return datagrams;
    }
  };
  save('tables', 'NFT_MSG_GETTABLE', ask(0xa01, 0));
  save('chains', 'NFT_MSG_GETCHAIN', ask(0xa04, 0));
  save('rules', 'NFT_MSG_GETRULE', ask(0xa07, 0));
  save('sets', 'NFT_MSG_GETSET', ask(0xa0a, 0));
  save('masquerade4', 'NFT_MSG_GETSETELEM', ask(0xa0d, INET, 'shop', 'masquerade4'));
  save('hostport4', 'NFT_MSG_GETSETELEM', ask(0xa0d, INET, 'shop', 'hostport4'));
  for (const [source, destination] of [
    ['192.0.2.9', '192.0.2.53'],
    ['fd00:99::9', 'fd00:99::53'],
  ] as const) {
    const words = `conntrack -I -p udp -s ${source} -d ${destination} --sport 1000 --dport 53 -t 100`;
    execFileSync('ip', ['netns', 'exec', scratch.name, ...words.split(' ')], { stdio: 'pipe' });
  }
  save('../netlink/connections', 'IPCTNL_MSG_CT_GET', ask(IPCTNL_MSG_CT_GET, 0));
  save('pairs', 'NFT_MSG_GETSETELEM', ask(0xa0d, BRIDGE, 'shop', 'pairs'));
  channel.close();
} finally {
  scratch.remove();
  rmSync(trace, { force: true });
}

/** strace shows the written bytes below the call: ` | 00010  14 00 …  text |`. The longest call is the batch. */
function sentBytes(text: string): Buffer {
  const calls = text
    .split(/^sendmsg/m)
    .map((call) =>
      [...call.matchAll(/^ \| [0-9a-f]+ {2}((?:[0-9a-f]{2} {1,2})+)/gm)].map(([, hex = '']) => hex).join(''),
    );
  const longest = calls.reduce((one, other) => (other.length > one.length ? other : one));
  return Buffer.from(longest.replace(/ /g, ''), 'hex');
}

function save(file: string, what: string, datagrams: Buffer[]): void {
  const lines = datagrams.map((datagram) => `${datagram.toString('hex')}\n`).join('');
  writeFileSync(
    `${import.meta.dir}/../../fixtures/nftables/${file}.hex`,
    `# ${what}; one datagram a line; Linux ${release().split('-')[0]}\n${lines}`,
  );
}
