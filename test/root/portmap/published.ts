import { ours } from '../implementations.ts';
import { type Call, type Pod, Site } from '../site.ts';
import { Peer } from './peer.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations and results are read as JSON.
type Json = any;

export interface Mapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol?: string;
  readonly hostIP?: string;
}

/** A pod with an interface in a network, as bridge made it. */
export interface Attached {
  readonly pod: Pod;
  readonly ifName: string;
  /** Of bridge. */
  readonly network: Json;
  /** The result of bridge. */
  readonly result: Json;
  readonly v4: string;
  readonly v6: string;
}

const subnets = ['10.50.0.0/16', 'fd00:50::/64'];
const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];

/** With PLUGINS=<folder of the reference>, whose own choice would be iptables. */
const backend = process.env.PLUGINS === undefined ? {} : { backend: 'nftables' };

/**
 * A node with a dual-stack bridge network, 10.50.0.1 and fd00:50::1 on the bridge, a host outside at 192.0.2.2 and
 * fd00:99::2, pods whose ports are published, and sockets in all of them. For `using`.
 */
export class Published {
  readonly site = new Site();
  /** Of bridge. */
  readonly network: Json;
  readonly #peers = new Map<string, Peer>();

  constructor(keys: Json = {}) {
    this.site.addOutside();
    const ipam = this.site.ipam(subnets, { routes });
    this.network = this.site.configuration({ cniVersion: '1.1.0', isGateway: true, ipam, ...keys });
  }

  /** Whether frames between ports of a bridge pass through iptables and nftables of IP, on this node alone. */
  setBridgeNetfilter(isOn: boolean): void {
    for (const family of ['iptables', 'ip6tables']) {
      this.site.onNode('sh', '-c', `echo ${isOn ? 1 : 0} > /proc/sys/net/bridge/bridge-nf-call-${family}`);
    }
  }

  /** ADD by bridge: of a new pod, or one more interface of one. */
  async attach(
    pod: string | Pod,
    { ifName = 'eth0', network = this.network, by = ours }: { ifName?: string; network?: Json } & Call = {},
  ): Promise<Attached> {
    const real = typeof pod === 'string' ? this.site.pod(pod) : pod;
    const result = await this.site.add(network, { pod: real, ifName, by });
    const addresses: string[] = result.ips.map(({ address }: Json) => address.split('/')[0]);
    const [v4 = '', v6 = ''] = [false, true].map((is6) => addresses.find((one) => one.includes(':') === is6));
    return { pod: real, ifName, network, result, v4, v6 };
  }

  /** portmap's configuration for it, behind bridge in the list. */
  configuration({ network, result }: Attached, mappings: readonly Mapping[], keys: Json = {}): Json {
    const { cniVersion, name } = network;
    const runtimeConfig = { portMappings: mappings };
    return { cniVersion, name, type: 'portmap', ...backend, runtimeConfig, prevResult: result, ...keys };
  }

  /** ADD that must succeed: its result. */
  publish(attached: Attached, mappings: readonly Mapping[], keys: Json = {}, call: Call = {}): Promise<Json> {
    const { pod, ifName } = attached;
    return this.site.add(this.configuration(attached, mappings, keys), { pod, ifName, ...call });
  }

  /** DEL that must succeed, with what a runtime passes on. */
  withdraw(
    attached: Attached,
    mappings: readonly Mapping[],
    keys: Json = {},
    call: Call = {},
  ): Promise<void> {
    const { pod, ifName } = attached;
    return this.site.del(this.configuration(attached, mappings, keys), { pod, ifName, ...call });
  }

  /** DEL by bridge. */
  detach({ pod, ifName, network, result }: Attached): Promise<void> {
    return this.site.del({ ...network, prevResult: result }, { pod, ifName });
  }

  /** ADD and DEL of another pod's port: what there is from then on for good, the rest of it left behind by others. */
  async warmUp(): Promise<string[]> {
    const warm = await this.attach('warm');
    await this.publish(warm, [mapping(1, 1), mapping(1, 1, { protocol: 'udp' })]);
    await this.withdraw(warm, []);
    await this.detach(warm);
    return this.site.snapshot();
  }

  /** Sockets in a pod, on the node, or on the host outside. */
  in(place: Attached | Pod | 'node' | 'outside'): Peer {
    const { name, netns } = this.#place(place);
    const known = this.#peers.get(netns);
    if (known !== undefined) return known;
    const peer = new Peer(netns, name);
    this.#peers.set(netns, peer);
    return peer;
  }

  [Symbol.dispose](): void {
    for (const peer of this.#peers.values()) peer[Symbol.dispose]();
    this.site[Symbol.dispose]();
  }

  #place(place: Attached | Pod | 'node' | 'outside'): Pod {
    if (place === 'node' || place === 'outside') return { name: place, netns: this.site[place] };
    return 'pod' in place ? place.pod : place;
  }
}

/** A mapping of TCP, or of what `keys` says. */
export function mapping(hostPort: number, containerPort: number, keys: Partial<Mapping> = {}): Mapping {
  return { hostPort, containerPort, protocol: 'tcp', ...keys };
}
