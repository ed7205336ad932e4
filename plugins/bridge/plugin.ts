import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Plugin } from '../../src/cni/plugin.ts';
import { findBridge } from '../../src/network/bridge.ts';
import { openContainer } from '../../src/network/container-namespace.ts';
import { allOrNothing } from '../../src/network/undo.ts';
import type { Surroundings } from '../built-in.ts';
import { type Call, openCall, openRemovingCall } from './call.ts';

/** Connects a container to a bridge of the node by a veth pair, with addresses from its `ipam`. */
export function bridgePlugin(surroundings: Surroundings): Plugin {
  return {
    add: (invocation) => closing(openCall(invocation, surroundings), add),
    check: (invocation) => closing(openCall(invocation, surroundings), check),
    del: (invocation) => closing(openRemovingCall(invocation, surroundings), del),
    gc: (invocation) => closing(openRemovingCall(invocation, surroundings), gc),
    status: (invocation) => closing(openCall(invocation, surroundings), status),
  };
}

/** All of it, or nothing. */
async function add(call: Call): Promise<JsonObject> {
  const { attach } = await import('./attach.ts');
  const container = openContainer(call.invocation);
  try {
    return await allOrNothing(call.surroundings, (undo) => attach(call, container, undo));
  } finally {
    container.close();
  }
}

/** Names all differences at once. */
async function check(call: Call): Promise<void> {
  openContainer(call.invocation).close();
  const { examine } = await import('./examine.ts');
  await examine(call);
}

/** What is gone already is success, also the namespace. */
async function del(call: Call): Promise<void> {
  const { detach } = await import('./detach.ts');
  await detach(call);
}

/** What nobody will delete any more. */
async function gc(call: Call): Promise<void> {
  const { collect } = await import('./collect.ts');
  await collect(call);
}

/** Whether an ADD would find what it needs: addresses, and no other link under the bridge's name. */
async function status({ ipam, host, settings }: Call): Promise<void> {
  try {
    findBridge(host, settings.bridge);
  } catch (error) {
    const { message, details } = CniError.from(error);
    throw new CniError(ErrorCode.pluginNotAvailable, message, { details, cause: error });
  }
  await ipam?.status();
}

async function closing<T>(opening: Promise<Call>, operate: (call: Call) => Promise<T>): Promise<T> {
  const call = await opening;
  try {
    return await operate(call);
  } finally {
    call.close();
  }
}
