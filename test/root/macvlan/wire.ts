import { Site } from '../site.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

/** A site whose node has a wire to the host outside, `up0`: its pods are macvlans on it, beside that host. */
export class Wire extends Site {
  constructor() {
    super();
    this.addOutside();
  }

  override configuration(keys: Json = {}): Json {
    const base = { cniVersion: '1.0.0', name: 'net', type: 'macvlan', master: 'up0' };
    return { ...base, ipam: this.onWire(), ...keys };
  }

  /** host-local with the addresses of the wire from 192.0.2.100, and of IPv6 from fd00:99::100, if `families` has 6. */
  onWire(families: readonly (4 | 6)[] = [4], keys: Json = {}): Json {
    const ranges = {
      4: [{ subnet: '192.0.2.0/24', rangeStart: '192.0.2.100', gateway: '192.0.2.2' }],
      6: [{ subnet: 'fd00:99::/64', rangeStart: 'fd00:99::100', gateway: 'fd00:99::2' }],
    };
    return { ...this.ipam([]), ranges: families.map((family) => ranges[family]), ...keys };
  }

  /** What `ip -d` says of a link. */
  link(netns: string, name: string): Json {
    return JSON.parse(this.inPod({ name, netns }, 'ip', '-d', '-j', 'link', 'show', name))[0];
  }
}
