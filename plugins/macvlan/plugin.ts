import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Plugin } from '../../src/cni/plugin.ts';
import { readValidAttachments } from '../../src/cni/valid-attachments.ts';
import { openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import { openContainer } from '../../src/network/container-namespace.ts';
import { findMaster } from '../../src/network/master-link.ts';
import { allOrNothing } from '../../src/network/undo.ts';
import type { Surroundings } from '../built-in.ts';
import { type Call, openCall, openRemovingCall } from './call.ts';

/** Gives a container an interface with a MAC of its own on a link of the node, with addresses from its `ipam`. */
export function macvlanPlugin(surroundings: Surroundings): Plugin {
  return {
    add: async (invocation) => add(await openCall(invocation, surroundings)),
    check: async (invocation) => check(await openCall(invocation, surroundings)),
    del: async (invocation) => del(await openRemovingCall(invocation, surroundings)),
    gc: async (invocation) => gc(await openRemovingCall(invocation, surroundings)),
    status: async (invocation) => status(await openCall(invocation, surroundings)),
  };
}

/** All of it, or nothing. */
async function add(call: Call): Promise<JsonObject> {
  const { attach } = await import('./attach.ts');
  const container = openContainer(call.invocation);
  const inside = openRouteSocket(container, call.surroundings.step);
  try {
    return await allOrNothing(call.surroundings, (undo) => attach(call, { container, inside }, undo));
  } finally {
    inside.close();
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

/** The addresses that nobody will give back any more; the links went with the namespaces of their containers. */
async function gc({ ipam, invocation }: Call): Promise<void> {
  if (readValidAttachments(invocation.configuration) === undefined) return;
  await ipam?.gc();
}

/** Whether an ADD would find what it needs: the master, where that is the node's, and addresses. */
async function status({ ipam, settings, surroundings }: Call): Promise<void> {
  if (!settings.linkInContainer) {
    const host = openRouteSocket(undefined, surroundings.step);
    try {
      findMaster(host, settings.master, 'on the node');
    } catch (error) {
      const { message, details } = CniError.from(error);
      throw new CniError(ErrorCode.pluginNotAvailable, message, { details, cause: error });
    } finally {
      host.close();
    }
  }
  await ipam?.status();
}
