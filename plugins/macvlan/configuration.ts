import type { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { dnsValue } from '../../src/cni/dns-value.ts';
import { between, ethernetMac, linkName, macOfArgs } from '../../src/cni/interface-value.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { KeyReader } from '../../src/cni/key-reader.ts';
import type { Invocation } from '../../src/cni/plugin.ts';
import type { Problem } from '../../src/cni/problem.ts';
import type { Version } from '../../src/cni/version.ts';
import { MACVLAN_MODES, type MacvlanMode } from '../../src/kernel/netlink/macvlan.ts';

/** The keys of the `macvlan` plugin, with their defaults filled in. */
export type Settings = ReturnType<typeof settingsFrom>;

/** Throws code 7 with the path of each value that is wrong, and code 4 for CNI_ARGS. */
export function readSettings({ configuration, args }: Invocation): Settings {
  const keys = new KeyReader(configuration.document);
  const settings = settingsFrom(keys, macOfArgs(args));
  keys.refuseWithoutAddresses(settings.ipamType, configuration.cniVersion);
  keys.throwProblems();
  return settings;
}

/** All that `readSettings` would refuse. */
export function settingsProblems(document: JsonObject, cniVersion: Version): readonly Problem[] {
  const keys = new KeyReader(document);
  keys.refuseWithoutAddresses(settingsFrom(keys, undefined).ipamType, cniVersion);
  return keys.problems;
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
  const configuredMac = keys.read('mac', ethernetMac, undefined);
  return {
    /** The link it is made on; undefined for that of the default route. */
    master: keys.read('master', masterName, undefined),
    /** Whom it reaches of those on the same master. */
    mode: keys.read<MacvlanMode>('mode', mode, 'bridge'),
    /** Up to the master's; 0 is the same as the master's. */
    mtu: keys.read('mtu', (value) => between(value, 0, i32), 0),
    /** The master is a link of the container, not of the node. */
    linkInContainer: keys.flag('linkInContainer'),
    /** How many broadcasts may wait on the master; 0 leaves it to the kernel. */
    bcQueueLength: keys.read('bcqueuelen', (value) => between(value, 0, u32), 0),
    /** Where addresses come from; empty for an interface without. */
    ipamType: keys.read('ipam', (value) => value.key('type').text(), ''),
    /** Answered in place of what IPAM says. */
    dns: keys.read('dns', dnsValue, undefined),
    /** The MAC that was asked for: `runtimeConfig.mac`, else MAC of CNI_ARGS, else `mac`. */
    requestedMac:
      keys.read('runtimeConfig', (value) => ethernetMac(value.key('mac')), undefined) ??
      macFromArgs ??
      configuredMac,
  };
}

const i32 = 2 ** 31 - 1;
const u32 = 2 ** 32 - 1;

/** An empty text is as good as none. */
function masterName(value: ConfigurationValue): string | undefined {
  return value.text() === '' ? undefined : linkName(value);
}

function mode(value: ConfigurationValue): MacvlanMode | undefined {
  const text = value.text() || undefined;
  if (text === undefined || Object.hasOwn(MACVLAN_MODES, text)) return text as MacvlanMode | undefined;
  throw value.error('is an unknown macvlan mode (bridge, private, vepa or passthru)');
}
