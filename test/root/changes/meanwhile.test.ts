import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createNamespace, removeNamespace } from '../../../src/kernel/named-namespace.ts';
import type { Change } from '../../../src/trace/change.ts';
import { changeSentences } from '../../../src/trace/change-sentences.ts';
import { requires } from '../../requirements.ts';
import { cniPath, type Json, WatchedNode } from './watched-node.ts';

let node: WatchedNode;
beforeEach(() => {
  node = new WatchedNode();
});
afterEach(() => node.remove());

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('two attachments at the same time', () => {
  test.each(['ours', 'reference'] as const)('are told apart: %s', async (first) => {
    node.cniPath = cniPath[first];
    const backend = first === 'ours' ? {} : { backend: 'nftables' };
    const masquerade = first === 'ours' ? {} : { ipMasqBackend: 'nftables' };
    const { plugins, ...list } = JSON.parse(node.wrapping(node.bridge(masquerade), node.portmap(backend)));
    const document = (keys: Json) => ({ ...list, ...plugins[0], ...keys });
    // What is there for all is there.
    const warm = document({
      runtimeConfig: { portMappings: [{ hostPort: 7999, containerPort: 1, protocol: 'tcp' }] },
    });
    await node.call('ADD', warm, { CNI_CONTAINERID: 'warm', CNI_NETNS: node.netns, CNI_IFNAME: 'warm0' });
    const count = 4;
    const others = Array.from({ length: count }, (_, index) => `${node.pod}-${index}`);
    for (const name of others) createNamespace(`/run/netns/${name}`);
    try {
      const keys = (index: number) =>
        document({
          runtimeConfig: { portMappings: [{ hostPort: 8000 + index, containerPort: 80, protocol: 'tcp' }] },
        });
      const answers = await Promise.all(
        others.map((name, index) =>
          node.call('ADD', keys(index), { CNI_CONTAINERID: `c${index}`, CNI_NETNS: `/run/netns/${name}` }),
        ),
      );
      expect(answers.map(({ status, stdout }) => (status === 0 ? 0 : stdout))).toEqual(others.map(() => 0));
      const records = node.scratch
        .records()
        .filter(({ kind, attachment }) => kind === 'call' && attachment.containerID !== 'warm');
      expect(records.length).toBe(count);
      let meanwhile = 0;
      for (const { attachment, changes, result } of records) {
        const index = Number(attachment.containerID.slice(1));
        const own: Change[] = changes.filter(({ whose }: Change) => whose !== 'other');
        // Its own veth, address and port, and none of another's.
        const [, veth] = result.interfaces;
        expect(
          own
            .filter(
              ({ kind, namespace, change }) => kind === 'link' && namespace === 'host' && change === 'added',
            )
            .map(({ object }) => object),
        ).toEqual([veth.name]);
        const ports =
          JSON.stringify(own)
            .match(/\b80\d\d\b/g)
            ?.filter((port) => port !== '8080') ?? [];
        expect([...new Set(ports)]).toEqual([`${8000 + index}`]);
        for (const other of changes.filter(({ whose }: Change) => whose === 'other')) {
          meanwhile += 1;
          expect(other.plugin).toBeUndefined();
          expect(JSON.stringify(other.owner)).not.toContain(`"${attachment.containerID}"`);
        }
        const texts = changeSentences({ changes });
        const firstOther = texts.findIndex((text) => text.startsWith('meanwhile'));
        if (firstOther >= 0)
          expect(texts.slice(firstOther).every((text) => text.startsWith('meanwhile'))).toBe(true);
      }
      // Of four at once, somebody saw somebody.
      expect(meanwhile).toBeGreaterThan(0);
    } finally {
      for (const name of others) removeNamespace(`/run/netns/${name}`);
    }
  });
});
