import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seed } from '../../plugins/flannel/flannel.ts';
import { Site } from '../site.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are written as JSON.
type Json = any;

/** A node with a subnet of flanneld's, in files of this test's own. For `using`. */
export class Fabric extends Site {
  readonly dataDir = join(this.scratch.folder, 'flannel');
  readonly subnetFile = join(this.scratch.folder, 'subnet.env');

  constructor(lines: readonly string[] = seed) {
    super();
    this.writeSubnet(lines);
  }

  writeSubnet(lines: readonly string[]): void {
    writeFileSync(this.subnetFile, lines.join('\n'));
  }

  /** A configuration of `flannel` whose state and leases are this test's. */
  flannel(keys: Json = {}): Json {
    const { dataDir, subnetFile } = this;
    const ipam = { dataDir: this.leases };
    return { cniVersion: '1.1.0', name: 'net', type: 'flannel', dataDir, subnetFile, ipam, ...keys };
  }

  /** The same in one call of `debug`. */
  wrapped(keys: Json = {}): Json {
    const { log, journal } = this.scratch;
    const logs = { cniOutput: log, journal: { path: journal } };
    return { cniVersion: '1.1.0', name: 'net', type: 'debug', ...logs, delegate: this.flannel(keys) };
  }

  /** Names of the state files. */
  states(): string[] {
    return existsSync(this.dataDir) ? readdirSync(this.dataDir).sort() : [];
  }

  override snapshot(): string[] {
    return [...super.snapshot(), ...this.states().map((name) => `state ${name}`)];
  }
}

export const dualStack = [
  'FLANNEL_NETWORK=10.60.0.0/16,10.61.0.0/16',
  'FLANNEL_SUBNET=10.60.4.1/24',
  'FLANNEL_IPV6_NETWORK=fd00:60::/48',
  'FLANNEL_IPV6_SUBNET=fd00:60:0:4::1/64',
  'FLANNEL_MTU=1400',
  'FLANNEL_IPMASQ=true',
];
