import type { Invocation } from '../../src/cni/plugin.ts';
import type { Problem } from '../../src/cni/problem.ts';
import type { Ipam } from '../../src/ipam/ipam.ts';
import { openIpam } from '../../src/ipam/open-ipam.ts';
import { type NetlinkSocket, openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import type { Attachment } from '../../src/network/attachment.ts';
import { Sysctls } from '../../src/network/sysctls.ts';
import type { Surroundings } from '../built-in.ts';
import { readSettings, readUsableSettings, type Settings } from './configuration.ts';
import { withIpamOf } from './node-subnet.ts';

/** One call of the bridge plugin: what it was asked for, and what it does that with. */
export interface Call {
  readonly invocation: Invocation;
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  readonly attachment: Attachment;
  /** Undefined for an interface without addresses. */
  readonly ipam: Ipam | undefined;
  /** In the node's namespace. */
  readonly host: NetlinkSocket;
  readonly sysctls: Sysctls;
  /** What is wrong with the keys, where that is no error at once. */
  readonly problems: readonly Problem[];
  close(): void;
}

/** Throws code 7 for a configuration that is wrong. */
export function openCall(invocation: Invocation, surroundings: Surroundings): Promise<Call> {
  const settings = readSettings(invocation);
  if (settings.ipMasqBackend === 'iptables') {
    surroundings.warn(
      'ipmasq-backend',
      'ipMasqBackend',
      'ipMasqBackend: "iptables" is not used: nftables does the same here',
    );
  }
  return open(invocation, surroundings, settings, []);
}

/** For what removes things: what is wrong with the configuration is said, and does not stop it. */
export function openRemovingCall(invocation: Invocation, surroundings: Surroundings): Promise<Call> {
  const { settings, problems } = readUsableSettings(invocation.configuration.document);
  for (const { path, message } of problems) surroundings.warn('malformed-key', path, message);
  // What cannot be read may have been on.
  const unsure = problems.length > 0;
  const { ipMasq, macspoofchk } = settings;
  const suspected = { ...settings, ipMasq: ipMasq || unsure, macspoofchk: macspoofchk || unsure };
  return open(invocation, surroundings, suspected, problems);
}

async function open(
  invocation: Invocation,
  surroundings: Surroundings,
  settings: Settings,
  problems: readonly Problem[],
): Promise<Call> {
  const { containerID, ifName, configuration } = invocation;
  const asked = settings.nodeSubnet === undefined ? invocation : withIpamOf(invocation);
  const ipam = await openIpam(asked, settings.ipamType, surroundings);
  const host = openRouteSocket(undefined, surroundings.step);
  return {
    ...{ invocation, settings, surroundings, problems, ipam, host },
    sysctls: new Sysctls(surroundings),
    attachment: { network: configuration.name, containerID, ifName },
    close: () => host.close(),
  };
}
