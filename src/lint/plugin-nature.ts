import { lookUp } from '../cni/keys.ts';
import { isBridge, isBridgeItself, type LintedPlugin } from './linted-plugin.ts';

/** Those of our own and of the reference that work on what a plugin before them has made. */
const chained = ['bandwidth', 'firewall', 'host-routes', 'portmap', 'sbr', 'tuning', 'vrf'];

/** Those that make an interface and ask `ipam` for its addresses. */
const addressed = ['dummy', 'host-device', 'ipvlan', 'macvlan', 'ptp', 'tap', 'vlan'];

/** Whether it fails without a plugin before it. */
export function needsPrevResult(plugin: LintedPlugin): boolean {
  const { type, value } = plugin;
  const isPassThrough =
    type === 'debug' && !isBridgeItself(plugin) && (lookUp(value, 'delegate') ?? null) === null;
  return isPassThrough || chained.includes(type);
}

/** Whether its `ipam` is used. Of a type that is not known here it may be. */
export function readsIpam(plugin: LintedPlugin): boolean {
  const { type } = plugin;
  const isKnownNot = [...chained, 'debug', 'flannel', 'loopback'].includes(type);
  return isBridge(plugin) || addressed.includes(type) || !isKnownNot;
}

/** Whether it fails without addresses from `ipam`. */
export function needsIpam({ type, isFirst }: LintedPlugin): boolean {
  return ['dummy', 'ptp', 'vlan'].includes(type) || (type === 'ipvlan' && isFirst);
}

/** Whether it has no use for an `ipam`. */
export function hasNoUseForIpam(plugin: LintedPlugin): boolean {
  return chained.includes(plugin.type) || plugin.type === 'loopback';
}
