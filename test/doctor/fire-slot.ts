import { isExecutable } from '../requirements.ts';
import { reference } from '../root/implementations.ts';

export const network = 'fire';
const subnet = '10.60.0.0/16';
const bridge = {
  ...{ type: 'bridge', bridge: 'br-fire', isGateway: true, ipMasq: true, macspoofchk: true },
  ipam: { type: 'host-local', subnet, routes: [{ dst: '0.0.0.0/0' }] },
};
const portmap = { type: 'portmap', capabilities: { portMappings: true } };

/** One network, whoever makes its containers. */
export const files = {
  '/etc/cni/net.d/10-fire.conflist': {
    ...{ cniVersion: '1.1.0', name: network },
    plugins: [bridge, portmap, { type: 'debug', cniOutput: false }],
  },
  '/etc/cni/bridge.json': { cniVersion: '1.1.0', name: network, ...bridge },
  '/etc/cni/reference.json': { cniVersion: '1.0.0', name: network, ...bridge, ipMasqBackend: 'nftables' },
};

/**
 * Who calls the plugins: the command line, which remembers it; or a runtime that keeps no cache, and calls our plugin or
 * that of the reference.
 */
export type Caller = 'command line' | 'our plugin' | 'reference';

/** A container that comes and goes. */
export interface Slot {
  readonly number: number;
  readonly caller: Caller;
  /** How many containers it has been: what comes back may be the same one. */
  generation: number;
  /** How many namespaces it has had: no two have one name. */
  namespaces: number;
  address: string;
  /** The node's end of its veth. */
  port: string;
  /** `living`: its ADD has succeeded and its DEL has not begun; `left`: it is gone, and things of it may be there. */
  state: 'none' | 'busy' | 'living' | 'left';
}

/** Half of them by the command line; where there are no plugins of the reference, ours take their turns. */
export function newSlot(number: number): Slot {
  const other = number % 4 === 1 && isExecutable(`${reference.folder}/bridge`) ? 'reference' : 'our plugin';
  const caller = number % 2 === 0 ? 'command line' : other;
  return { number, caller, generation: 0, namespaces: 0, address: '', port: '', state: 'none' };
}

export const nameOf = ({ number, namespaces }: Slot) => `p${number}n${namespaces}`;
export const idOf = ({ number, generation }: Slot) => `fire${number}x${generation}`;
export const portOf = ({ number }: Slot) => 20_000 + number;

/** What a runtime runs. */
export function scriptOf(slot: Slot, command: 'ADD' | 'DEL'): string {
  if (slot.caller !== 'command line') {
    const isOurs = slot.caller === 'our plugin';
    const [folder, file] = isOurs
      ? ['/opt/cni/bin', 'bridge.json']
      : ['/opt/cni/reference', 'reference.json'];
    const variables = `CNI_COMMAND=${command} CNI_CONTAINERID=${idOf(slot)} CNI_NETNS=/run/netns/${nameOf(slot)}`;
    return `${variables} CNI_IFNAME=eth0 CNI_PATH=${folder} exec ${folder}/bridge </etc/cni/${file}`;
  }
  const ports = `{"portMappings":[{"hostPort":${portOf(slot)},"containerPort":80,"protocol":"tcp"}]}`;
  const words = `${network} ${nameOf(slot)} --container-id ${idOf(slot)}`;
  if (command === 'DEL') return `exec cni-debug del ${words}`;
  return `exec cni-debug add ${words} --capabilities "${ports.replaceAll('"', '\\"')}"`;
}
