import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Attachment } from '../../src/network/attachment.ts';
import { iptablesLeftovers } from '../../src/network/iptables-leftovers.ts';
import {
  planReferenceMasqueradeRemoval,
  planReferenceSpoofCheckRemoval,
} from '../../src/network/reference-leftovers.ts';
import { type ScratchNamespace, scratchFolder, scratchNamespace } from '../kernel/scratch.ts';
import { referencePath } from '../program.ts';
import { requires } from '../requirements.ts';
import { type ScratchRuleset, scratchRuleset } from './network-scratch.ts';

const attachment: Attachment = { network: 'refnet', containerID: 'cid-1', ifName: 'eth0' };
const others: Attachment[] = [
  { ...attachment, ifName: 'eth1' },
  { ...attachment, containerID: 'cid-2' },
  { ...attachment, network: 'refnet2' },
];

/** What the reference 1.9.1 makes for `attachment` and for a second one, as nft lists it. */
const MADE_BY_REFERENCE = `
table bridge nat {
  chain PREROUTING {
    type filter hook prerouting priority dstnat; policy accept;
    iifname "veth96f45d00" jump cni-br-iface-cid-1-eth0 comment "macspoofchk-cid-1-eth0"
    iifname "veth1" jump cni-br-iface-cid-2-eth0 comment "macspoofchk-cid-2-eth0"
  }
  chain cni-br-iface-cid-1-eth0 { jump cni-br-iface-cid-1-eth0-mac comment "macspoofchk-cid-1-eth0"; }
  chain cni-br-iface-cid-1-eth0-mac {
    ether saddr 32:5c:bb:41:df:a6 return comment "macspoofchk-cid-1-eth0"
    drop comment "macspoofchk-cid-1-eth0"
  }
  chain cni-br-iface-cid-2-eth0 { drop comment "macspoofchk-cid-2-eth0"; }
}
table inet cni_plugins_masquerade {
  chain masq_checks {
    ip saddr 10.99.0.2 ip daddr != 10.99.0.0/16 masquerade comment "7165e11869391df4-94e6bc2af6ffc8dc, net: refnet, if: eth0, id: cid-1"
    ip saddr 10.99.0.3 ip daddr != 10.99.0.0/16 masquerade comment "7165e11869391df4-94e6bc2af6ffc8dd, net: refnet, if: eth0, id: cid-2"
    ip6 saddr fd00:99::2 ip6 daddr != fd00:99::/64 masquerade comment "7165e11869391df4-94e6bc2af6ffc8dc, net: refnet, if: eth0, id: cid-1"
  }
}
`;

describe.if(requires('root', 'ip', 'nft', 'iptables'))('what the reference left', () => {
  let node: ScratchRuleset;
  beforeEach(() => {
    node = scratchRuleset();
  });
  afterEach(() => node.remove());

  const remove = (owner: Attachment): void =>
    node.call((ruleset) => {
      planReferenceMasqueradeRemoval(ruleset, owner);
      planReferenceSpoofCheckRemoval(ruleset, owner);
    });

  test('of the attachment goes, and nothing else', () => {
    node.nft(['-f', '-'], MADE_BY_REFERENCE);
    const own = (): string[] => node.text().match(/^.*cid-1.*$/gm) ?? [];
    const before = own();
    for (const other of others) {
      node.call((ruleset) => planReferenceMasqueradeRemoval(ruleset, other));
      // The reference's names for this have no network in them.
      if (other.network === attachment.network) {
        node.call((ruleset) => planReferenceSpoofCheckRemoval(ruleset, other));
      }
    }
    expect(own()).toEqual(before);
    expect(before.length).toBe(8);
    expect(node.text()).not.toContain('cni-br-iface-cid-2-eth0');
    remove(attachment);
    const after = node.text();
    expect(after).not.toMatch(/cid-1/);
    expect(after).toContain('ip saddr 10.99.0.3');
    expect(after).toContain('chain PREROUTING');
    remove(attachment);
    expect(node.text()).toBe(after);
  });

  test('is nothing where there is nothing', () => {
    const before = node.nftables.generation();
    remove(attachment);
    remove({ ...attachment, containerID: 'x'.repeat(300) });
    expect(node.nftables.generation()).toBe(before);
    expect(node.look((ruleset) => iptablesLeftovers(ruleset, attachment))).toEqual([]);
  });

  describe.if(requires('reference-plugins'))('by itself', () => {
    let pod: ScratchNamespace;
    let leases: ReturnType<typeof scratchFolder>;
    beforeEach(() => {
      pod = scratchNamespace();
      leases = scratchFolder();
    });
    afterEach(() => {
      pod.remove();
      leases.remove();
    });

    const addByReference = (ipMasqBackend: string): void => {
      const folder = referencePath.find((path) => existsSync(`${path}/bridge`)) ?? '';
      const configuration = {
        cniVersion: '1.0.0',
        name: attachment.network,
        type: 'bridge',
        bridge: 'refbr0',
        isGateway: true,
        ipMasq: true,
        ipMasqBackend,
        macspoofchk: true,
        ipam: {
          type: 'host-local',
          dataDir: leases.path,
          ranges: [[{ subnet: '10.99.0.0/16' }], [{ subnet: 'fd00:99::/64' }]],
        },
      };
      execFileSync('ip', ['netns', 'exec', node.name, `${folder}/bridge`], {
        input: JSON.stringify(configuration),
        stdio: ['pipe', 'ignore', 'pipe'],
        env: {
          PATH: process.env.PATH,
          CNI_COMMAND: 'ADD',
          CNI_CONTAINERID: attachment.containerID,
          CNI_IFNAME: attachment.ifName,
          CNI_NETNS: pod.path,
          CNI_PATH: folder,
        },
      });
    };

    test('goes, when it is in nftables', () => {
      addByReference('nftables');
      expect(node.text()).toContain('cid-1');
      remove(attachment);
      const commands = node.look((ruleset) => iptablesLeftovers(ruleset, attachment));
      // Release 1.1.1 of the reference does not know the key, and uses iptables.
      if (commands.length === 0) expect(node.text()).not.toContain('cid-1');
      else expect(node.text()).not.toContain('macspoofchk-cid-1');
    });

    test('is reported, when it is in iptables, with the commands that remove it', () => {
      addByReference('iptables');
      const found = node.look((ruleset) => iptablesLeftovers(ruleset, attachment));
      expect(found.map(({ object }) => object)).toEqual([
        expect.stringMatching(/^CNI-[0-9a-f]{24} in table ip nat$/),
        expect.stringMatching(/^CNI-[0-9a-f]{24} in table ip6 nat$/),
      ]);
      for (const other of others.slice(1)) {
        expect(node.look((ruleset) => iptablesLeftovers(ruleset, other))).toEqual([]);
      }
      for (const command of found.flatMap(({ commands }) => commands)) {
        execFileSync('ip', ['netns', 'exec', node.name, 'sh', '-c', command], {
          stdio: ['ignore', 'ignore', 'pipe'],
        });
      }
      expect(node.look((ruleset) => iptablesLeftovers(ruleset, attachment))).toEqual([]);
      expect(
        execFileSync('ip', ['netns', 'exec', node.name, 'iptables-save'], { encoding: 'utf8' }),
      ).not.toContain('cid-1');
    });
  });
});
