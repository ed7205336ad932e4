import type { Invocation } from '../../src/cni/plugin.ts';
import type { Problem } from '../../src/cni/problem.ts';
import type { Ipam } from '../../src/ipam/ipam.ts';
import { openIpam } from '../../src/ipam/open-ipam.ts';
import type { Attachment } from '../../src/network/attachment.ts';
import type { Surroundings } from '../built-in.ts';
import { readSettings, readUsableSettings, type Settings } from './configuration.ts';

/** One call of the macvlan plugin: what it was asked for, and what it does that with. */
export interface Call {
  readonly invocation: Invocation;
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  readonly attachment: Attachment;
  /** Undefined for an interface without addresses. */
  readonly ipam: Ipam | undefined;
  /** What is wrong with the keys, where that is no error at once. */
  readonly problems: readonly Problem[];
}

/** Throws code 7 for a configuration that is wrong. */
export async function openCall(invocation: Invocation, surroundings: Surroundings): Promise<Call> {
  return open(invocation, surroundings, readSettings(invocation), []);
}

/** For what removes things: what is wrong with the configuration is said, and does not stop it. */
export async function openRemovingCall(invocation: Invocation, surroundings: Surroundings): Promise<Call> {
  const { settings, problems } = readUsableSettings(invocation.configuration.document);
  for (const { path, message } of problems) surroundings.warn('malformed-key', path, message);
  return open(invocation, surroundings, settings, problems);
}

async function open(
  invocation: Invocation,
  surroundings: Surroundings,
  settings: Settings,
  problems: readonly Problem[],
): Promise<Call> {
  const { containerID, ifName, configuration } = invocation;
  const ipam = await openIpam(invocation, settings.ipamType, surroundings);
  const attachment = { network: configuration.name, containerID, ifName };
  return { invocation, settings, surroundings, problems, ipam, attachment };
}
