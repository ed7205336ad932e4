import { formatIp } from '../../src/cni/address.ts';
import type { Configuration } from '../../src/cni/configuration.ts';
import type { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { between } from '../../src/cni/interface-value.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { KeyReader } from '../../src/cni/key-reader.ts';
import type { Problem } from '../../src/cni/problem.ts';
import type { HostPort } from '../../src/network/publication.ts';

/** The keys of the `portmap` plugin, with their defaults filled in. */
export type Settings = ReturnType<typeof settingsFrom>;

/** Throws code 7 with the path of each value that is wrong. */
export function readSettings({ document }: Configuration): Settings {
  const keys = new KeyReader(document);
  const settings = soundSettings(keys);
  keys.throwProblems();
  return settings;
}

/** All that `readSettings` would refuse. */
export function settingsProblems(document: JsonObject): readonly Problem[] {
  const keys = new KeyReader(document);
  soundSettings(keys);
  return keys.problems;
}

/** With what is wrong though each key is right by itself. */
function soundSettings(keys: KeyReader): Settings {
  const settings = settingsFrom(keys);
  const { markMasqBit, externalSetMarkChain, portMappings } = settings;
  keys.refuse(
    markMasqBit !== undefined && externalSetMarkChain !== '',
    'externalSetMarkChain',
    'Cannot specify externalSetMarkChain and markMasqBit',
  );
  for (const name of ['conditionsV4', 'conditionsV6'] as const) {
    keys.refuse(
      settings[name].length > 0,
      name,
      `${name}: the host ports of all containers are in one map, where a condition of one network has no place. ` +
        `Remove ${name}, or use the reference's portmap (containernetworking/plugins) for this network`,
    );
  }
  const twice = portMappings.findIndex((port, index) => clashes(port, portMappings.slice(0, index)));
  keys.refuse(
    twice >= 0,
    'runtimeConfig',
    `runtimeConfig.portMappings[${twice}].hostPort: ${portMappings[twice]?.hostPort} leads to another container port already`,
  );
  return settings;
}

function settingsFrom(keys: KeyReader) {
  return {
    /** `nftables`; `iptables` is accepted, for configurations of the reference. */
    backend: keys.read('backend', backend, ''),
    /** What would not find its way back to the container's neighbours and the node itself gets the node's address. */
    snat: keys.read('snat', (value) => value.flag(), true),
    /** And so does all that comes by a host port. */
    masqAll: keys.flag('masqAll'),
    /** Of iptables: without meaning here. */
    markMasqBit: keys.read('markMasqBit', (value) => between(value, 0, 31), undefined),
    /** Of iptables: without meaning here. */
    externalSetMarkChain: keys.read('externalSetMarkChain', (value) => value.text(), ''),
    /** Of the reference; not possible in a map. */
    conditionsV4: keys.read('conditionsV4', (value) => value.elements(), []),
    conditionsV6: keys.read('conditionsV6', (value) => value.elements(), []),
    /** The ports of the node, and where they lead: what the runtime says for this container. */
    portMappings: keys.read(
      'runtimeConfig',
      (value) => value.key('portMappings').elements().map(readHostPort),
      [],
    ),
  };
}

function backend(value: ConfigurationValue): string | undefined {
  const name = value.text();
  if (name === undefined || ['', 'iptables', 'nftables'].includes(name)) return name;
  throw value.error('is none of "nftables", "iptables"');
}

function readHostPort(entry: ConfigurationValue): HostPort {
  return {
    protocol: protocol(entry.key('protocol')),
    hostIP: entry.key('hostIP').ip(),
    hostPort: port(entry.key('hostPort')),
    containerPort: port(entry.key('containerPort')),
  };
}

function protocol(value: ConfigurationValue): HostPort['protocol'] {
  const name = value.text()?.toLowerCase();
  if (name === 'tcp' || name === 'udp' || name === 'sctp') return name;
  throw value.error('is none of "tcp", "udp", "sctp"');
}

function port(value: ConfigurationValue): number {
  const number = between(value, 1, 65535);
  if (number === undefined) throw value.error('');
  return number;
}

function clashes(port: HostPort, before: readonly HostPort[]): boolean {
  const keys = keysOf(port);
  return before.some(
    (other) => other.containerPort !== port.containerPort && keysOf(other).some((key) => keys.includes(key)),
  );
}

/** No address is any of both families, and an unspecified one is any of its own. */
function keysOf({ protocol, hostIP, hostPort }: HostPort): string[] {
  const hosts = hostIP === undefined ? ['0.0.0.0', '::'] : [formatIp(hostIP)];
  return hosts.map((host) => `${protocol} ${hostPort} ${host}`);
}
