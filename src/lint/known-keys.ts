import { ipamKeys } from './ipam-keys.ts';
import {
  anything,
  boolean,
  either,
  integer,
  type Keys,
  list,
  map,
  type Struct,
  string,
  struct,
  unsigned,
} from './key-schema.ts';

export const dns = struct({
  nameservers: list(string),
  domain: string,
  search: list(string),
  options: list(string),
});

/** What a `.conflist` may say besides its plugins (section 1, "Network configuration objects"). */
export const listKeys: Struct = struct({
  name: string,
  cniVersion: string,
  cniVersions: list(string),
  disableCheck: either(boolean, string),
  disableGC: either(boolean, string),
  loadOnlyInlinedPlugins: either(boolean, string),
  plugins: list(anything),
  // What nerdctl remembers of a network that it made.
  nerdctlID: anything,
  nerdctlLabels: anything,
});

/** What every plugin may be given (section 1, "Plugin configuration objects"; `types.PluginConf`). */
const sharedKeys: Keys = {
  cniVersion: string,
  name: string,
  type: string,
  capabilities: map(boolean),
  dns,
  args: anything,
  runtimeConfig: anything,
  prevResult: anything,
  'cni.dev/valid-attachments': anything,
  'cni.dev/attachments': anything,
};

const bridge: Keys = {
  bridge: string,
  isGateway: boolean,
  isDefaultGateway: boolean,
  forceAddress: boolean,
  ipMasq: boolean,
  ipMasqBackend: string,
  mtu: integer,
  hairpinMode: boolean,
  promiscMode: boolean,
  vlan: integer,
  vlanTrunk: list(struct({ id: integer, minID: integer, maxID: integer })),
  preserveDefaultVlan: boolean,
  macspoofchk: boolean,
  enabledad: boolean,
  disableContainerInterface: boolean,
  portIsolation: boolean,
  // Of ours only: plugins/bridge/README.md.
  network: string,
  subnet: string,
};

const words = list(list(string));

const debug: Keys = {
  cniOutput: either(string, boolean),
  textLayout: string,
  cniOutputMaxSize: string,
  journal: either(struct({ path: string, maxSize: string, maxFiles: integer }), boolean),
  validate: string,
  redact: list(string),
  addHooks: words,
  delHooks: words,
  checkHooks: words,
  hookTimeout: string,
  strictHooks: boolean,
  strictLog: boolean,
  // A plugin or a list of them, each looked at by its own type.
  delegate: either(map(anything), list(map(anything))),
  delegateTimeout: string,
  external: boolean,
  linkNetns: boolean,
  snapshot: boolean,
  allowFaults: boolean,
  fault: struct({
    commands: list(string),
    delay: string,
    error: struct({ code: integer, msg: string }),
    exit: unsigned,
    stdout: string,
    probability: anything,
    seed: integer,
  }),
};

/** By plugin type: their own keys, as their Go structs have them (containernetworking/plugins v1.9), and those of ours. */
const ownKeys: Readonly<Record<string, Keys>> = {
  bandwidth: {
    ingressRate: unsigned,
    ingressBurst: unsigned,
    egressRate: unsigned,
    egressBurst: unsigned,
    unshapedSubnets: list(string),
    shapedSubnets: list(string),
  },
  bridge,
  debug,
  dhcp: {},
  dummy: {},
  firewall: { backend: string, iptablesAdminChainName: string, firewalldZone: string, ingressPolicy: string },
  flannel: { subnetFile: string, dataDir: string, delegate: map(anything) },
  'host-device': { device: string, hwaddr: string, DPDKMode: boolean, kernelpath: string, pciBusID: string },
  'host-local': {},
  'host-routes': {
    routes: list(struct({ dst: string, gw: string, dev: string })),
    peersFile: string,
    dataDir: string,
  },
  ipvlan: { master: string, mode: string, mtu: integer, linkInContainer: boolean },
  loopback: {},
  macvlan: {
    master: string,
    mode: string,
    mtu: integer,
    mac: string,
    linkInContainer: boolean,
    bcqueuelen: unsigned,
  },
  portmap: {
    backend: string,
    snat: boolean,
    masqAll: boolean,
    markMasqBit: integer,
    externalSetMarkChain: string,
    conditionsV4: list(string),
    conditionsV6: list(string),
  },
  ptp: { ipMasq: boolean, ipMasqBackend: string, mtu: integer },
  sbr: {},
  static: {},
  tap: {
    multiQueue: boolean,
    mtu: integer,
    mac: string,
    owner: unsigned,
    group: unsigned,
    selinuxContext: string,
  },
  tuning: {
    sysctl: map(string),
    mac: string,
    mtu: integer,
    promisc: boolean,
    allmulti: boolean,
    txQLen: integer,
    dataDir: string,
  },
  vlan: { master: string, vlanId: integer, mtu: integer, linkInContainer: boolean },
  vrf: { vrfname: string, table: unsigned },
};

/** Whose keys are known. */
export const knownTypes: readonly string[] = Object.keys(ownKeys);

export interface Circumstances {
  /** `debug` is itself the bridge. */
  readonly isBridge?: boolean;
  /** The type of its `ipam`. */
  readonly ipamType: string;
}

/** The keys of a plugin; undefined for a type that is not known here. */
export function keysOfPlugin(type: string, { isBridge, ipamType }: Circumstances): Struct | undefined {
  const own = Object.hasOwn(ownKeys, type) ? ownKeys[type] : undefined;
  if (own === undefined) return undefined;
  // Flannel's is what host-local's begins with.
  const ipam = ipamKeys(type === 'flannel' && ipamType === '' ? 'host-local' : ipamType);
  return struct({
    ...sharedKeys,
    ipam,
    ...own,
    ...(isBridge ? bridge : {}),
  });
}
