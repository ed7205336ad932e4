import { execFileSync } from 'node:child_process';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { type Nftables, openNftables } from '../../../src/kernel/nftables/socket.ts';
import { type ScratchNamespace, scratchNamespace } from '../scratch.ts';

/** A namespace with nothing in it, its nftables by our socket and by nft. */
export interface ScratchNftables extends ScratchNamespace {
  nftables: Nftables;
  /** Runs nft inside, with a file of its language on stdin where there is one. */
  nft(args: readonly string[], input?: string): string;
  /** `nft -j list ruleset`, without handles and without what nft says of itself. */
  ruleset(): unknown[];
  /** `nft list ruleset`: what can be loaded again. */
  text(): string;
}

export function scratchNftables(...lines: string[]): ScratchNftables {
  const scratch = scratchNamespace(...lines);
  const namespace = openNamespace(scratch.path);
  const nftables = openNftables(namespace);
  namespace.close();
  const nft = (args: readonly string[], input = ''): string =>
    execFileSync('ip', ['netns', 'exec', scratch.name, 'nft', ...args], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  return {
    ...scratch,
    nftables,
    nft,
    ruleset: () =>
      JSON.parse(nft(['-j', 'list', 'ruleset']), (key, value) =>
        key === 'handle' ? undefined : value,
      ).nftables.filter((entry: object) => !('metainfo' in entry)),
    text: () => nft(['list', 'ruleset']),
    remove() {
      nftables.close();
      scratch.remove();
    },
  };
}
