import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Result } from '../../src/cni/result.ts';
import type { Link } from '../../src/kernel/netlink/link.ts';
import { openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import { attachmentResult } from '../../src/network/attachment-result.ts';
import { configureInterface, prepareInterface } from '../../src/network/container-interface.ts';
import { type MacvlanPlace, makeMacvlan, removeMacvlan, settingUp } from '../../src/network/macvlan.ts';
import { findMaster } from '../../src/network/master-link.ts';
import { addressesOf, routesOf } from '../../src/network/result-addressing.ts';
import { Sysctls } from '../../src/network/sysctls.ts';
import type { Undo } from '../../src/network/undo.ts';
import { answerSignal } from '../../src/runtime/answer-signal.ts';
import type { Call } from './call.ts';

type Container = Pick<MacvlanPlace, 'container' | 'inside'>;

/** Each step that acts says what takes it back. The link comes before its address: a DHCP client asks over it. */
export async function attach(call: Call, at: Container, undo: Undo): Promise<JsonObject> {
  const { settings, invocation } = call;
  makeLink(call, at, undo);
  const addressing = await allocate(call, at, undo);
  const link = settingUp(() => setUp(call, at, addressing));
  await answerSignal(invocation.signal);
  const interfaces = [{ ...link, sandbox: at.container.path }];
  return attachmentResult({ interfaces, addressed: 0, addressing, dns: settings.dns });
}

function makeLink({ settings, attachment, surroundings }: Call, at: Container, undo: Undo): void {
  const { master: name, linkInContainer, mode, mtu, requestedMac: mac, bcQueueLength } = settings;
  const outside = linkInContainer ? at.inside : openRouteSocket(undefined, surroundings.step);
  try {
    const master = findMaster(outside, name, linkInContainer ? 'in the container' : 'on the node');
    if (mtu > master.mtu) throw tooLarge(mtu, master);
    makeMacvlan({ ...at, outside, master }, attachment, { mode, mtu, mac, bcQueueLength }, undo);
  } finally {
    if (outside !== at.inside) outside.close();
  }
}

/** What IPAM gives; undefined for an interface without addresses. */
async function allocate(call: Call, { inside }: Container, undo: Undo): Promise<Result | undefined> {
  const { ipam, invocation, settings, attachment } = call;
  if (ipam === undefined) return undefined;
  const allocated = await ipam.add();
  undo.push('addresses', () => ipam.undoAdd());
  // As on DEL: of ours nobody must get the address while the link has it.
  const isBuiltIn = settings.ipamType === 'host-local';
  if (isBuiltIn) undo.push(`macvlan "${invocation.ifName}"`, () => removeMacvlan(inside, attachment));
  await answerSignal(invocation.signal);
  return allocated;
}

function setUp({ invocation, surroundings }: Call, { container }: Container, result?: Result): Link {
  const { ifName } = invocation;
  const { step } = surroundings;
  if (result === undefined) return prepareInterface(container, ifName, { up: true }, step);
  // Other hosts are on this wire: they may have the address, and should learn who has it now.
  const wanted = { detectDuplicates: true, announceIpv6: true };
  const addressing = { addresses: addressesOf(result), routes: routesOf(result) };
  return configureInterface(container, ifName, { ...addressing, ...wanted }, new Sysctls(surroundings), step);
}

function tooLarge(mtu: number, master: Link): CniError {
  return new CniError(
    ErrorCode.invalidConfiguration,
    `invalid MTU ${mtu}, must be [0, master MTU(${master.mtu})]`,
    { details: `the master is "${master.name}"` },
  );
}
