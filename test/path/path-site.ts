import { type Namespace, openNamespace } from '../../src/kernel/netns.ts';
import { type ScratchNamespace, scratchNamespace } from '../kernel/scratch.ts';
import { commandIn } from '../root/namespace-command.ts';

/**
 * A node with a bridge, a pod on it (10.1.0.5, fd00:1::5), and an uplink to a host outside (198.51.100.2, fd00:99::2) that knows no
 * way to pods; the node forwards, and masquerades what pods send. For `using`.
 */
export class PathSite {
  readonly node = scratchNamespace('link set lo up');
  readonly pod = scratchNamespace('link set lo up');
  readonly outside = scratchNamespace('link set lo up');
  private readonly opened: Namespace[] = [];

  constructor({ masquerade = true } = {}) {
    this.node.ip(
      'link add br0 type bridge',
      'link set br0 up',
      'address add 10.1.0.1/24 dev br0',
      'address add fd00:1::1/64 dev br0 nodad',
      `link add pod0 type veth peer name eth0 netns ${this.pod.name}`,
      'link set pod0 master br0 up',
      `link add up0 type veth peer name up0 netns ${this.outside.name}`,
      'link set up0 up',
      'address add 198.51.100.1/24 dev up0',
      'address add fd00:99::1/64 dev up0 nodad',
    );
    this.pod.ip(
      'link set eth0 up',
      'address add 10.1.0.5/24 dev eth0',
      'address add fd00:1::5/64 dev eth0 nodad',
      'route add default via 10.1.0.1',
      'route add default via fd00:1::1',
    );
    this.outside.ip(
      'link set up0 up',
      'address add 198.51.100.2/24 dev up0',
      'address add fd00:99::2/64 dev up0 nodad',
    );
    this.sysctl('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1', 'net.ipv4.conf.all.rp_filter=0');
    this.node.ip('route add default via 198.51.100.2', 'route add default via fd00:99::2');
    if (masquerade)
      this.nft(`table inet nat {
        chain postrouting {
          type nat hook postrouting priority srcnat
          oifname "up0" masquerade
        }
      }`);
  }

  sysctl(...settings: string[]): void {
    this.onNode('sysctl', '-qw', ...settings);
  }

  onNode(...argv: string[]): string {
    return commandIn(this.node.path, ...argv);
  }

  nft(text: string): void {
    this.onNode('sh', '-c', `nft -f - <<'EOF'\n${text}\nEOF`);
  }

  /** Opened for as long as the site. */
  open({ path }: ScratchNamespace): Namespace {
    const namespace = openNamespace(path);
    this.opened.push(namespace);
    return namespace;
  }

  /** Tables of nftables on the node, as nft lists them. */
  tables(): string[] {
    return this.onNode('nft', 'list', 'tables').split('\n').filter(Boolean);
  }

  [Symbol.dispose](): void {
    for (const namespace of this.opened) namespace.close();
    for (const namespace of [this.pod, this.outside, this.node]) namespace.remove();
  }
}
