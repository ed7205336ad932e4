import { accessSync } from 'node:fs';
import { EPERM } from '../../kernel/errno.ts';
import { hasLinkKind } from '../../kernel/netlink/link-kind.ts';
import { NetlinkError } from '../../kernel/netlink/netlink-error.ts';
import { openRouteSocket } from '../../kernel/netlink/socket.ts';
import { runInNew } from '../../kernel/netns.ts';
import { Ruleset } from '../../network/ruleset.ts';
import { planNat, type WantedNat } from '../../network/wanted-nat.ts';
import { findPluginIfAny } from '../../runtime/find-plugin.ts';
import { isThisProgram } from '../../runtime/this-program.ts';
import type { Survey } from '../survey.ts';
import { type ConfiguredNetwork, configuredNetworks } from './made-attachments.ts';

/** What the kernel of this node cannot do, and who needs it. */
export interface MissingFeature {
  /** `links of kind "macvlan"` */
  readonly feature: string;
  /** The kernel's answer. */
  readonly answer: string;
  /** The modules that bring it, in the order in which they are to be loaded. */
  readonly modules: readonly string[];
  readonly network: string;
  readonly path: string;
  readonly plugin: string;
}

interface Need {
  readonly feature: string;
  readonly modules: readonly string[];
  /** It is looked at in the node itself, and changes nothing there. */
  readonly isOfNode?: boolean;
  /** The kernel's answer; undefined where it can do it. */
  readonly attempt: () => string | undefined;
}

/**
 * What configured plugins need of the kernel and do not get: tried by doing it, in a network namespace that nobody else
 * is in, and that is gone afterwards. Nothing is tried that nobody needs.
 */
export function missingFeatures(survey: Survey): readonly MissingFeature[] {
  return survey.once('kernel features', 'kernel features', () => {
    const needs = configuredNetworks(survey).flatMap((network) =>
      needsOf(survey, network).map((need) => ({ network, ...need })),
    );
    const answers = new Map<string, string | undefined>();
    const attempt = (isOfNode: boolean) => {
      for (const { need } of needs) {
        const { feature } = need;
        if ((need.isOfNode ?? false) === isOfNode && !answers.has(feature))
          answers.set(feature, need.attempt());
      }
    };
    attempt(true);
    if (needs.some(({ need }) => !need.isOfNode)) runInNew(() => attempt(false));
    return needs.flatMap(({ network, plugin, need: { feature, modules } }) => {
      const answer = answers.get(feature);
      if (answer === undefined) return [];
      return [{ feature, answer, modules, plugin, network: network.name, path: network.path }];
    });
  });
}

/** The kinds of links that plugins make, ours and the reference's. `bandwidth` has its own when a pod asks for it. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  bridge: ['bridge', 'veth'],
  ptp: ['veth'],
  macvlan: ['macvlan'],
  ipvlan: ['ipvlan'],
  vlan: ['vlan'],
  dummy: ['dummy'],
  vrf: ['vrf'],
};

function needsOf(
  survey: Survey,
  { plugins }: ConfiguredNetwork,
): { readonly plugin: string; readonly need: Need }[] {
  return plugins.flatMap(({ type, document }) => {
    const { facts } = survey.settings;
    const bridge = facts.bridge(type, document);
    const links = (kinds[bridge === undefined ? type : 'bridge'] ?? []).map(linkKind);
    const more: Need[] = type === 'flannel' ? [bridgeNetfilter] : [];
    if (isOurs(survey, type)) {
      if (bridge?.ipMasq) more.push(masquerading);
      if (bridge?.macspoofchk) more.push(checkingMacs);
      if (type === 'portmap') more.push(hostPorts);
    }
    return [...links, ...more].map((need) => ({ plugin: type, need }));
  });
}

/** The reference's plugins may do the same with iptables. */
function isOurs({ settings: { pluginPath } }: Survey, type: string): boolean {
  try {
    const path = findPluginIfAny(type, pluginPath);
    return path !== undefined && isThisProgram(path);
  } catch {
    // That it cannot be executed is another rule's.
    return false;
  }
}

function linkKind(kind: string): Need {
  return {
    feature: `links of kind "${kind}"`,
    modules: [kind === 'vlan' ? '8021q' : kind],
    attempt() {
      const socket = openRouteSocket();
      try {
        return hasLinkKind(socket, kind) ? undefined : `create ${kind}: Unknown device type (EOPNOTSUPP)`;
      } finally {
        socket.close();
      }
    },
  };
}

const owner = { network: 'try', containerID: 'try', ifName: 'try0' };
const address = { ip: Uint8Array.of(192, 0, 2, 1), prefixLength: 32 };

const masquerading = rules('masquerading in nftables', ['nf_tables', 'nft_chain_nat', 'nft_masq'], {
  masquerade: { addresses: [address], leftAlone: undefined },
});
const hostPorts = rules(
  'host ports in nftables',
  ['nf_tables', 'nft_chain_nat', 'nft_nat', 'nft_masq', 'nft_fib_inet', 'nft_ct'],
  {
    hostPorts: {
      addresses: [{ ip: address.ip, link: 'try0' }],
      ports: [{ protocol: 'tcp', hostIP: undefined, hostPort: 1, containerPort: 1 }],
      masquerade: true,
      masqueradeAll: true,
    },
  },
);
const checkingMacs = rules('rules of nftables in bridges', ['nf_tables', 'nf_tables_bridge'], {
  spoofCheck: { name: 'try0', mac: '02:00:00:00:00:01' },
});

/** The very rules that ADD would make. */
function rules(feature: string, modules: readonly string[], wanted: WantedNat): Need {
  return {
    feature,
    modules,
    attempt() {
      const ruleset = new Ruleset();
      try {
        planNat(ruleset, owner, wanted, { isGone: () => false, takenOver: () => {} });
        ruleset.commit();
        return undefined;
      } catch (error) {
        if (!(error instanceof NetlinkError) || error.errno === EPERM) throw error;
        return error.message;
      } finally {
        ruleset.close();
      }
    },
  };
}

/** flanneld does not start without it. */
const bridgeNetfilter: Need = {
  feature: 'packets of bridges in iptables (br_netfilter)',
  modules: ['br_netfilter'],
  isOfNode: true,
  attempt() {
    const path = '/proc/sys/net/bridge/bridge-nf-call-iptables';
    try {
      accessSync(path);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};
