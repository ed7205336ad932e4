import { family } from '../../src/cni/address.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Result } from '../../src/cni/result.ts';
import { getLink, type Link } from '../../src/kernel/netlink/link.ts';
import type { Namespace } from '../../src/kernel/netns.ts';
import { attachmentResult } from '../../src/network/attachment-result.ts';
import { ensureBridge } from '../../src/network/bridge.ts';
import { BridgeAddresses } from '../../src/network/bridge-addresses.ts';
import { createPort, waitForPort } from '../../src/network/bridge-port.ts';
import { configureInterface, prepareInterface } from '../../src/network/container-interface.ts';
import { enableForwarding } from '../../src/network/forwarding.ts';
import { endpointsOf, withDefaultRoutes, withGateways } from '../../src/network/gateway.ts';
import { planMasquerade } from '../../src/network/masquerade.ts';
import { addressesOf, routesOf } from '../../src/network/result-addressing.ts';
import { planSpoofCheck } from '../../src/network/spoof-check.ts';
import type { Undo } from '../../src/network/undo.ts';
import { ensureVlanGateway } from '../../src/network/vlan-gateway.ts';
import { answerSignal } from '../../src/runtime/answer-signal.ts';
import type { Call } from './call.ts';

/** Each step that acts says what takes it back; nftables comes last, and all of it at once. */
export async function attach(call: Call, container: Namespace, undo: Undo): Promise<JsonObject> {
  const { settings, surroundings, attachment, invocation } = call;
  const { ruleset, step } = surroundings;
  // First what is taken back most easily; but a DHCP client asks over the interface.
  const isBuiltIn = settings.ipamType === 'host-local';
  const early = isBuiltIn ? await allocate(call, undo) : undefined;
  const { bridge, port, addresses } = connect(call, container, undo);
  const addressing = isBuiltIn ? early : await allocate(call, undo);
  const gateway = setGateways(call, bridge, addresses, addressing);
  const inside = setUp(call, container, addressing);
  const connected = settings.disableContainerInterface
    ? port
    : waitForPort(call.host, port, bridge, portTimeoutMs, step);
  const named = { ...inside, sandbox: container.path };
  // In the order of the reference.
  const interfaces = [current(call, bridge), connected, named, ...(gateway === undefined ? [] : [gateway])];

  if (settings.ipMasq)
    planMasquerade(ruleset, attachment, addressesOf(addressing), settings.nodeSubnet?.network);
  if (settings.macspoofchk) planSpoofCheck(ruleset, attachment, { name: port.name, mac: inside.mac ?? '' });
  await answerSignal(invocation.signal);
  ruleset.conclude();
  return attachmentResult({
    interfaces,
    addressed: interfaces.indexOf(named),
    addressing,
    dns: settings.dns,
  });
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

function bridgeSettings({ settings }: Call) {
  const { bridge: name, mtu, promiscMode: promiscuous, vlan, trunk } = settings;
  return { name, mtu, promiscuous, vlanFiltering: vlan !== 0 || trunk.length > 0 };
}

function portSettings({ settings }: Call) {
  const { mtu, requestedMac: mac, hairpinMode: hairpin, portIsolation: isolated } = settings;
  const { vlan, trunk, preserveDefaultVlan } = settings;
  return { mtu, mac, hairpin, isolated, vlan, trunk, preserveDefaultVlan };
}
