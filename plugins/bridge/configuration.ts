import type { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { dnsValue } from '../../src/cni/dns-value.ts';
import { between, ethernetMac, linkName, macOfArgs } from '../../src/cni/interface-value.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { KeyReader } from '../../src/cni/key-reader.ts';
import type { Invocation } from '../../src/cni/plugin.ts';
import type { Problem } from '../../src/cni/problem.ts';
import type { Version } from '../../src/cni/version.ts';
import { readNodeSubnet, refuseNodeSubnet } from './node-subnet.ts';

/** The keys of the `bridge` plugin, with their defaults filled in. */
export type Settings = ReturnType<typeof settingsFrom>;

/** Throws code 7 with the path of each value that is wrong, and code 4 for CNI_ARGS. */
export function readSettings({ configuration, args }: Invocation): Settings {
  const keys = new KeyReader(configuration.document);
  const settings = soundSettings(keys, configuration.cniVersion, macOfArgs(args));
  keys.throwProblems();
  return settings;
}

/** All that `readSettings` would refuse. */
export function settingsProblems(document: JsonObject, cniVersion: Version): readonly Problem[] {
  const keys = new KeyReader(document);
  soundSettings(keys, cniVersion, undefined);
  return keys.problems;
}

/** With what is wrong though each key is right by itself. */
function soundSettings(keys: KeyReader, cniVersion: Version, macFromArgs: string | undefined): Settings {
  const settings = settingsFrom(keys, macFromArgs);
  const { hairpinMode, promiscMode, vlan, trunk, disableContainerInterface, ipamType } = settings;
  const { bridge, isGateway, nodeSubnet } = settings;
  keys.refuse(
    hairpinMode && promiscMode,
    'hairpinMode',
    'cannot set hairpin mode and promiscuous mode at the same time',
  );
  keys.refuse(
    isGateway && vlan > 0 && bridge.length + String(vlan).length > 14,
    'bridge',
    `bridge: "${bridge}.${vlan}", the gateway's interface in the VLAN, is longer than 15 bytes`,
  );
  refuseNodeSubnet(keys, nodeSubnet);
  keys.refuseWithoutAddresses(ipamType, cniVersion);
  keys.refuse(vlan > 0 && trunk.length > 0, 'vlanTrunk', 'cannot set vlan and vlanTrunk at the same time');
  keys.refuse(
    disableContainerInterface && ipamType !== '',
    'disableContainerInterface',
    'cannot use IPAM when DisableContainerInterface flag is set',
  );
  return settings;
}

/** For what removes things: a key with a problem counts as absent, because it must not keep a pod from ending. */
export function readUsableSettings(document: JsonObject): {
  settings: Settings;
  problems: readonly Problem[];
} {
  const keys = new KeyReader(document);
  return { settings: settingsFrom(keys, undefined), problems: keys.problems };
}

function settingsFrom(keys: KeyReader, macFromArgs: string | undefined) {
  const nodeSubnet = readNodeSubnet(keys);
  const isDefaultGateway = keys.flag('isDefaultGateway', nodeSubnet !== undefined);
  return {
    /** Name of the bridge, made if it is not there. */
    bridge: keys.read('bridge', linkName, 'cni0'),
    /** The bridge gets the gateway's address, and the node forwards. */
    isGateway: keys.flag('isGateway', nodeSubnet !== undefined) || isDefaultGateway,
    /** The same, and it is the container's default route. */
    isDefaultGateway,
    /** Another address of the bridge is replaced. */
    forceAddress: keys.flag('forceAddress'),
    /** What the container sends to other networks has the node's address. */
    ipMasq: keys.flag('ipMasq'),
    /** `nftables`; `iptables` is accepted, for configurations of the reference. */
    ipMasqBackend: keys.read('ipMasqBackend', backend, ''),
    /** Of the bridge when it is made, and of the container's interface; 0 leaves it to the kernel. */
    mtu: keys.read('mtu', (value) => between(value, 0, 65535), 0),
    /** Frames may leave the bridge by the port they came in. */
    hairpinMode: keys.flag('hairpinMode'),
    /** The bridge takes all frames. */
    promiscMode: keys.flag('promiscMode'),
    /** The VLAN of the container's untagged frames; 0 for none. */
    vlan: keys.read('vlan', (value) => vlanID(value, 0), 0),
    /** The VLANs of its tagged frames: every one of `vlanTrunk`, in order. */
    trunk: keys.read('vlanTrunk', vlanTrunk, []),
    /** With a VLAN, the port stays in the bridge's default one, too. */
    preserveDefaultVlan: keys.flag('preserveDefaultVlan'),
    /** Frames of the container with another source MAC than its own are dropped. */
    macspoofchk: keys.flag('macspoofchk'),
    /** Duplicate address detection of IPv6 is done, and waited for. */
    enabledad: keys.flag('enabledad'),
    /** The container's interface stays down. */
    disableContainerInterface: keys.flag('disableContainerInterface'),
    /** Isolated ports of a bridge do not reach each other. */
    portIsolation: keys.flag('portIsolation'),
    /** `subnet` in place of `ipam`, and the network that masquerading leaves alone then. */
    nodeSubnet,
    /** Where addresses come from; empty for an interface without. */
    ipamType: nodeSubnet ? 'host-local' : keys.read('ipam', (value) => value.key('type').text(), ''),
    /** Answered in place of what IPAM says. */
    dns: keys.read('dns', dnsValue, undefined),
    /** The MAC that was asked for: `runtimeConfig.mac`, else `args.cni.mac`, else MAC of CNI_ARGS. */
    requestedMac:
      keys.read('runtimeConfig', (value) => ethernetMac(value.key('mac')), undefined) ??
      keys.read('args', (value) => ethernetMac(value.key('cni').key('mac')), undefined) ??
      macFromArgs,
  };
}

function backend(value: ConfigurationValue): string | undefined {
  const name = value.text();
  if (name === undefined || ['', 'iptables', 'nftables'].includes(name)) return name;
  throw value.error('is none of "nftables", "iptables"');
}

function vlanID(value: ConfigurationValue, least: number): number | undefined {
  return between(value, least, 4094, 'is an invalid VLAN ID');
}

function vlanTrunk(list: ConfigurationValue): number[] {
  const all = new Set<number>();
  for (const entry of list.elements()) {
    const [id, minID, maxID] = ['id', 'minID', 'maxID'].map((name) => vlanID(entry.key(name), 1));
    if ((minID === undefined) !== (maxID === undefined)) throw entry.error('has only one of minID and maxID');
    if ((minID ?? 0) > (maxID ?? 0)) throw entry.error('has a minID greater than its maxID');
    if (id !== undefined) all.add(id);
    for (let vid = minID ?? 1; vid <= (maxID ?? 0); vid++) all.add(vid);
  }
  return [...all].sort((one, other) => one - other);
}
