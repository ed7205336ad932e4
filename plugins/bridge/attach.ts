import { family, parseCidr, parseIp } from '../../src/cni/address.ts';
import { integerOf, type JsonObject, newObject } from '../../src/cni/json.ts';
import type { Result } from '../../src/cni/result.ts';
import { latestVersion } from '../../src/cni/version.ts';
import { getLink, type Link } from '../../src/kernel/netlink/link.ts';
import type { Namespace } from '../../src/kernel/netns.ts';
import { ensureBridge, ensureBridgeAddress } from '../../src/network/bridge.ts';
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

/** Each step that acts says what takes it back; nftables comes last, and all of it at once. */
export async function attach(call: Call, container: Namespace, undo: Undo): Promise<JsonObject> {
  const { settings, surroundings, attachment, host } = call;
  const { ruleset } = surroundings;
  const bridge = ensureBridge(host, bridgeSettings(call), undo);
  const addressing = await allocate(call, undo);
  const gateway = setGateways(call, bridge, addressing, undo);

  const port = createPort(host, bridge, container, attachment, portSettings(call), undo);
  const inside = setUp(call, container, addressing);
  const connected = settings.disableContainerInterface
    ? port
    : waitForPort(host, port, bridge, portTimeoutMs, surroundings.step);
  // The first address of the bridge pins its MAC.
  const links = [
    getLink(host, bridge.name) ?? bridge,
    connected,
    ...(gateway === undefined ? [] : [gateway]),
  ];

  if (settings.ipMasq) planMasquerade(ruleset, attachment, addressesOf(addressing));
  if (settings.macspoofchk) planSpoofCheck(ruleset, attachment, { name: port.name, mac: inside.mac ?? '' });
  ruleset.conclude();
  return resultOf(call, addressing, links, { ...inside, sandbox: container.path });
}

/** Most ports need a millisecond; a busy node may let the kernel's worker wait. */
const portTimeoutMs = 10_000;

/** What IPAM gives, completed; undefined for an interface without addresses. */
async function allocate({ ipam, settings, invocation }: Call, undo: Undo): Promise<Result | undefined> {
  if (ipam === undefined) return undefined;
  const allocated = await ipam.add();
  undo.push('addresses', () => ipam.del((allocated.ips ?? []).map(({ address }) => address)));
  invocation.signal.throwIfAborted();
  const result = settings.isGateway ? withGateways(allocated) : allocated;
  return settings.isDefaultGateway ? withDefaultRoutes(result) : result;
}

/** Answers the link that has the gateways' addresses in the bridge's place, if there is one. */
function setGateways(
  { settings, host }: Call,
  bridge: Link,
  result: Result | undefined,
  undo: Undo,
): Link | undefined {
  if (!settings.isGateway || result === undefined) return undefined;
  const { vlan, forceAddress: force } = settings;
  const onVlan = vlan === 0 ? undefined : ensureVlanGateway(host, bridge, settings, undo);
  const endpoints = endpointsOf(result);
  for (const { address, gateway } of endpoints) {
    if (gateway === undefined) continue;
    const { prefixLength } = address;
    ensureBridgeAddress(host, onVlan ?? bridge, { ip: gateway, prefixLength }, { force }, undo);
  }
  for (const ipFamily of new Set(endpoints.map(({ address }) => family(address.ip))))
    enableForwarding(ipFamily);
  return onVlan;
}

function setUp(
  { settings, surroundings, invocation }: Call,
  container: Namespace,
  result: Result | undefined,
): Link {
  const { step } = surroundings;
  const { ifName } = invocation;
  const { disableContainerInterface, enabledad: detectDuplicates } = settings;
  if (result === undefined)
    return prepareInterface(container, ifName, { up: !disableContainerInterface }, step);
  const addresses = addressesOf(result);
  return configureInterface(
    container,
    ifName,
    { addresses, routes: routesOf(result), detectDuplicates },
    step,
  );
}

/** A route without a gateway goes by the first one of its family. */
function routesOf(result: Result): InterfaceRoute[] {
  const gateways = endpointsOf(result).flatMap(({ gateway }) => gateway ?? []);
  return (result.routes ?? []).flatMap(({ dst, gw, ...numbers }) => {
    const cidr = parseCidr(dst);
    if (cidr === undefined) return [];
    const { mtu, advmss, priority, table, scope } = numbers;
    const isSameFamily = (ip: Uint8Array) => family(ip) === family(cidr.ip);
    const route = { dst: cidr, gateway: gw ? parseIp(gw) : gateways.find(isSameFamily) };
    const [ofMtu, ofAdvmss, ofPriority, ofTable, ofScope] = [mtu, advmss, priority, table, scope].map(
      integerOf,
    );
    return [{ ...route, mtu: ofMtu, advmss: ofAdvmss, priority: ofPriority, table: ofTable, scope: ofScope }];
  });
}

/** Bridge, port and container's interface, in the order of the reference: `ips[].interface` is 2 for all. */
function resultOf(
  call: Call,
  addressing: Result | undefined,
  links: Link[],
  inside: Link & { sandbox: string },
): JsonObject {
  const [bridge, port, ...more] = links.map(interfaceOf);
  const interfaces = [bridge, port, interfaceOf(inside), ...more].filter((entry) => entry !== undefined);
  const ips = (addressing?.ips ?? []).map((entry) => newObject([...Object.entries(entry), ['interface', 2]]));
  const dns = saysSomething(call.settings.dns) ? call.settings.dns : addressing?.dns;
  const result = newObject([
    ['cniVersion', latestVersion],
    ['interfaces', interfaces],
  ]);
  if (ips.length > 0) result.ips = ips;
  if (addressing?.routes?.length) result.routes = addressing.routes;
  if (dns !== undefined) result.dns = dns;
  return result;
}

function interfaceOf({ name, mac, mtu, sandbox }: Link & { sandbox?: string }): JsonObject {
  const described = newObject(Object.entries({ name, mac: mac ?? '', mtu }));
  if (sandbox !== undefined) described.sandbox = sandbox;
  return described;
}

function saysSomething(dns: JsonObject | undefined): dns is JsonObject {
  return Object.values(dns ?? {}).some((value) => value !== null && value !== '');
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
