import { parseIp } from '../cni/address.ts';
import type { ProbeRun } from './probe-run.ts';

/** The address that others reach this node by: on the link of its default route, or else on one that is no bridge. */
export function nodeAddress({ outside }: ProbeRun, family: 4 | 6): Uint8Array | undefined {
  const global = outside.addresses.filter((one) => one.family === family && one.scope === 0);
  const [route] = outside.routes.filter(
    (one) => one.family === family && one.dst.endsWith('/0') && one.oif !== undefined,
  );
  const isBridge = (index: number): boolean =>
    outside.links.find((link) => link.index === index)?.kind === 'bridge';
  const best =
    global.find(({ index }) => index === route?.oif) ??
    global.find(({ index }) => !isBridge(index)) ??
    global[0];
  return best && parseIp(best.address);
}
