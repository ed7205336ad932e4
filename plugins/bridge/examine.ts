import { formatCidr } from '../../src/cni/address.ts';
import { requiredPrevResult } from '../../src/cni/prev-result.ts';
import type { Result } from '../../src/cni/result.ts';
import { ipamDifferences } from '../../src/ipam/ipam-differences.ts';
import { listAddresses } from '../../src/kernel/netlink/address.ts';
import { getBridgePort } from '../../src/kernel/netlink/bridge-port.ts';
import { getLink, type Link } from '../../src/kernel/netlink/link.ts';
import { IFF_PROMISC } from '../../src/kernel/netlink/link-message.ts';
import { hostVethName } from '../../src/network/attachment.ts';
import { endpointsOf } from '../../src/network/gateway.ts';
import { missingMasquerade } from '../../src/network/masquerade.ts';
import { presentNat } from '../../src/network/present-nat.ts';
import { addressesOf } from '../../src/network/result-addressing.ts';
import { missingSpoofCheck } from '../../src/network/spoof-check.ts';
import { differs, refuseDifferences } from '../../src/trace/differences.ts';
import { namespaceDifferences } from '../../src/trace/namespace-check.ts';
import type { Call } from './call.ts';

/** Compares node and container with prevResult and configuration. All that differs is one error. */
export async function examine(call: Call): Promise<void> {
  const result = requiredPrevResult(call.invocation.configuration);
  const differences = [
    ...(await ipamDifferences(call.ipam)),
    ...namespaceDifferences(result, call.invocation.netns),
    ...bridgeDifferences(call, result),
  ];
  refuseDifferences(differences, 'node');
}

function bridgeDifferences(call: Call, result: Result): string[] {
  const { settings, host } = call;
  const name = settings.bridge;
  const bridge = getLink(host, name);
  if (bridge === undefined) return [`there is no bridge "${name}"`];
  if (bridge.kind !== 'bridge') return [`"${name}" is not a bridge`];
  const recorded = (result.interfaces ?? []).find((entry) => entry.name === name && !entry.sandbox);
  return [
    ...differs(recorded === undefined, `prevResult has no interface "${name}" of the node`),
    // Without an address of ours it has the lowest MAC of its ports, whoever joins.
    ...differs(
      settings.isGateway && settings.vlan === 0 && otherMac(recorded?.mac, bridge),
      `bridge "${name}" has MAC ${bridge.mac}, not ${recorded?.mac}`,
    ),
    ...differs(!bridge.up, `bridge "${name}" is down`),
    ...differs(
      settings.promiscMode && (bridge.flags & IFF_PROMISC) === 0,
      `bridge "${name}" is not promiscuous`,
    ),
    ...gatewayDifferences(call, bridge, result),
    ...portDifferences(call, bridge, result),
  ];
}

function gatewayDifferences({ settings, host }: Call, bridge: Link, result: Result): string[] {
  if (!settings.isGateway || settings.vlan !== 0) return [];
  const present = listAddresses(host, bridge.index).map(
    ({ address, prefixLength }) => `${address}/${prefixLength}`,
  );
  return endpointsOf(result).flatMap(({ address, gateway }) => {
    if (gateway === undefined) return [];
    const wanted = formatCidr({ ip: gateway, prefixLength: address.prefixLength });
    return differs(
      !present.includes(wanted),
      `bridge "${bridge.name}" does not have the gateway's address ${wanted}`,
    );
  });
}

/** The node's end is whichever of the result's interfaces is a veth of the node, as the reference looks for it. */
function portDifferences(call: Call, bridge: Link, result: Result): string[] {
  const { settings, host } = call;
  const candidates = (result.interfaces ?? []).filter(
    ({ name, sandbox }) => !sandbox && name !== bridge.name,
  );
  const found = candidates.flatMap((recorded) => {
    const link = recorded.name ? getLink(host, recorded.name) : undefined;
    return link?.kind === 'veth' ? [{ recorded, link }] : [];
  });
  const [first] = found.filter(({ link }) => link.master === bridge.index);
  if (first === undefined) {
    const names = candidates.map(({ name }) => `"${name}"`).join(', ') || 'no other interface of the node';
    return [`no port of bridge "${bridge.name}" is left of what prevResult names: ${names}`];
  }
  const { recorded, link } = first;
  const port = getBridgePort(host, link.index);
  const { hairpinMode, portIsolation } = settings;
  return [
    ...differs(otherMac(recorded.mac, link), `port "${link.name}" has MAC ${link.mac}, not ${recorded.mac}`),
    ...differs(hairpinMode && port?.hairpin !== true, `port "${link.name}" is not in hairpin mode`),
    ...differs(portIsolation && port?.isolated !== true, `port "${link.name}" is not isolated`),
    ...ruleDifferences(call, link, result),
  ];
}

/** Of what the reference made, the rules are not ours to look for. */
function ruleDifferences(
  { settings, attachment, invocation, surroundings }: Call,
  port: Link,
  result: Result,
): string[] {
  if (port.name !== hostVethName(attachment)) return [];
  const present = presentNat(surroundings.ruleset.nftables);
  const mac =
    (result.interfaces ?? []).find(({ name, sandbox }) => sandbox && name === invocation.ifName)?.mac ?? '';
  const masquerade = settings.ipMasq
    ? missingMasquerade(present, attachment, addressesOf(result), settings.nodeSubnet?.network)
    : [];
  const spoofCheck = settings.macspoofchk
    ? missingSpoofCheck(present, attachment, { name: port.name, mac })
    : [];
  return [
    ...masquerade.map((what) => `ipMasq: ${what}`),
    ...spoofCheck.map((what) => `macspoofchk: ${what}`),
  ];
}

function otherMac(recorded: string | undefined, { mac }: Link): boolean {
  return Boolean(recorded) && recorded?.toLowerCase() !== mac;
}
