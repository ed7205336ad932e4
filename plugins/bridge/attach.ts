import { family, parseCidr, parseIp } from '../../src/cni/address.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import { integerOf, type Json, type JsonObject, stringifyJson } from '../../src/cni/json.ts';
import type { Result } from '../../src/cni/result.ts';
import { getLink, type Link } from '../../src/kernel/netlink/link.ts';
import type { Namespace } from '../../src/kernel/netns.ts';
import { ensureBridge } from '../../src/network/bridge.ts';
import { BridgeAddresses } from '../../src/network/bridge-addresses.ts';
import { createPort, waitForPort } from '../../src/network/bridge-port.ts';
import {
  configureInterface,
  type InterfaceRoute,
  prepareInterface,
} from '../../src/network/container-interface.ts';
import { enableForwarding } from '../../src/network/forwarding.ts';
import { endpointsOf, withDefaultRoutes, withGateways } from '../../src/network/gateway.ts';
import { planMasquerade } from '../../src/network/masquerade.ts';
import { planSpoofCheck } from '../../src/network/spoof-check.ts';
import type { Undo } from '../../src/network/undo.ts';
import { ensureVlanGateway } from '../../src/network/vlan-gateway.ts';
import { addressesOf, type Call } from './call.ts';
import { resultOf } from './result.ts';

/** Each step that acts says what takes it back; nftables comes last, and all of it at once. */
export async function attach(call: Call, container: Namespace, undo: Undo): Promise<JsonObject> {
  const { settings, surroundings, attachment, invocation } = call;
  const { ruleset, step } = surroundings;
  const addressing = await allocate(call, undo);
  const { bridge, port, addresses } = connect(call, container, undo);
  const gateway = setGateways(call, bridge, addresses, addressing);
  const inside = setUp(call, container, addressing);
  const connected = settings.disableContainerInterface
    ? port
    : waitForPort(call.host, port, bridge, portTimeoutMs, step);
  const named = { ...inside, sandbox: container.path };
  const made = { bridge: current(call, bridge), port: connected, inside: named, gateway };

  if (settings.ipMasq) planMasquerade(ruleset, attachment, addressesOf(addressing));
  if (settings.macspoofchk) planSpoofCheck(ruleset, attachment, { name: port.name, mac: inside.mac ?? '' });
  await answerSignal(invocation.signal);
  ruleset.conclude();
  return resultOf({ ...made, addressing, dns: settings.dns });
}

/** Most ports need a millisecond; a busy node may let the kernel's worker wait. */
const portTimeoutMs = 10_000;
/** How often a bridge may go away between being found and getting a port. */
const connectAttempts = 5;

/** What IPAM gives, completed; undefined for an interface without addresses. */
async function allocate({ ipam, settings, invocation }: Call, undo: Undo): Promise<Result | undefined> {
  if (ipam === undefined) return undefined;
  const allocated = await ipam.add();
  undo.push('addresses', () => ipam.undoAdd());
  await answerSignal(invocation.signal);
  const result = settings.isGateway ? withGateways(allocated) : allocated;
  return settings.isDefaultGateway ? withDefaultRoutes(result) : result;
}

/** A signal that came while the kernel was at work is seen only when this process looks. */
async function answerSignal(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

/** The container's port on the bridge; again from the beginning when the undo of another ADD took the bridge away. */
function connect(call: Call, container: Namespace, undo: Undo) {
  const { host, attachment, sysctls } = call;
  for (let attempt = 1; ; attempt++) {
    const bridge = ensureBridge(host, bridgeSettings(call), sysctls, undo);
    const addresses = new BridgeAddresses(host, bridge);
    undo.push(`addresses of "${bridge.name}"`, () => addresses.takeBack());
    try {
      const port = createPort(host, bridge, container, attachment, portSettings(call), sysctls, undo);
      return { bridge, port, addresses };
    } catch (error) {
      if (getLink(host, bridge.name)?.index === bridge.index || attempt === connectAttempts) throw error;
    }
  }
}

/** Answers the link that has the gateways' addresses in the bridge's place, if there is one. */
function setGateways(
  { settings, host, sysctls }: Call,
  bridge: Link,
  ofBridge: BridgeAddresses,
  result: Result | undefined,
): Link | undefined {
  if (!settings.isGateway || result === undefined) return undefined;
  const onVlan = settings.vlan === 0 ? undefined : ensureVlanGateway(host, bridge, settings);
  const addresses = onVlan === undefined ? ofBridge : new BridgeAddresses(host, onVlan);
  const endpoints = endpointsOf(result);
  for (const { address, gateway } of endpoints) {
    if (gateway === undefined) continue;
    addresses.ensure({ ip: gateway, prefixLength: address.prefixLength }, { force: settings.forceAddress });
  }
  const families = new Set(endpoints.map(({ address }) => family(address.ip)));
  for (const ipFamily of families) enableForwarding(sysctls, ipFamily);
  return onVlan;
}

/** As it is at the end: the first address of a bridge pins its MAC. */
function current({ host }: Call, link: Link): Link {
  const found = getLink(host, link.name);
  if (found?.index === link.index) return found;
  throw new CniError(ErrorCode.tryAgainLater, `"${link.name}" was removed while it was being set up`);
}

function setUp(
  { settings, surroundings, invocation, sysctls }: Call,
  container: Namespace,
  result: Result | undefined,
): Link {
  const { step } = surroundings;
  const { ifName } = invocation;
  const { disableContainerInterface, enabledad: detectDuplicates } = settings;
  if (result === undefined)
    return prepareInterface(container, ifName, { up: !disableContainerInterface }, step);
  const wanted = { addresses: addressesOf(result), routes: routesOf(result), detectDuplicates };
  return configureInterface(container, ifName, wanted, sysctls, step);
}

/** A route without a gateway goes by the first one of its family. */
function routesOf(result: Result): InterfaceRoute[] {
  const gateways = endpointsOf(result).flatMap(({ gateway }) => gateway ?? []);
  return (result.routes ?? []).flatMap((route, index) => {
    const cidr = parseCidr(route.dst);
    if (cidr === undefined) return [];
    const isSameFamily = (ip: Uint8Array) => family(ip) === family(cidr.ip);
    const gateway = route.gw ? parseIp(route.gw) : gateways.find(isSameFamily);
    const number = (name: 'mtu' | 'advmss' | 'priority' | 'table' | 'scope') =>
      routeNumber(`routes[${index}].${name}`, route[name], name === 'scope' ? 0xff : 0xffff_ffff);
    const [mtu, advmss, priority] = [number('mtu'), number('advmss'), number('priority')];
    return [{ dst: cidr, gateway, mtu, advmss, priority, table: number('table'), scope: number('scope') }];
  });
}

function routeNumber(path: string, value: Json | undefined, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = integerOf(value);
  if (number !== undefined && number >= 0 && number <= most) return number;
  const message = `IPAM gave ${path}: ${stringifyJson(value)}, which is not between 0 and ${most}`;
  throw new CniError(ErrorCode.internal, message);
}

function bridgeSettings({ settings }: Call) {
  const { bridge: name, mtu, promiscMode: promiscuous, vlan, trunk } = settings;
  return { name, mtu, promiscuous, vlanFiltering: vlan !== 0 || trunk.length > 0 };
}

function portSettings({ settings }: Call) {
  const { mtu, requestedMac: mac, hairpinMode: hairpin, portIsolation: isolated } = settings;
  const { vlan, trunk, preserveDefaultVlan } = settings;
  return { mtu, mac, hairpin, isolated, vlan, trunk, preserveDefaultVlan };
}
