import { join } from 'node:path';
import { OperatorNode } from '../cli/operator-node.ts';
import type { Answer, Run } from '../program.ts';

/** The network of the sound node: what a README would have. */
export const labNetwork = {
  cniVersion: '1.1.0',
  name: 'lab',
  plugins: [
    {
      ...{ type: 'bridge', bridge: 'br-lab', isGateway: true, ipMasq: true },
      ipam: { type: 'host-local', subnet: '10.50.0.0/28', routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'debug', cniOutput: false },
  ],
};

/**
 * A node that is sound, for a script to break: network `lab` on bridge `br-lab` (10.50.0.1/28), pods `web` (10.50.0.2,
 * host port 8080 to its port 80) and `api` (10.50.0.3) with a server each, and the host `outside` (192.0.2.2, TCP port
 * 7000 and DNS), which knows no way to any pod. For `await using`.
 */
export class FaultSite {
  private constructor(readonly node: OperatorNode) {}

  static async start(network: object = labNetwork): Promise<FaultSite> {
    const site = new FaultSite(await OperatorNode.start({ hasProcesses: true }));
    try {
      site.node.configure('10-lab.conflist', network);
      const file = (name: string) => join(import.meta.dir, name);
      await site.node.sh(`sh ${file('sound.sh')} ${process.execPath} ${file('servers.ts')}`);
      return site;
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Breaks it, as a script in `scripts` does. */
  async break(script: string): Promise<void> {
    await this.node.sh(`sh -eu ${join(import.meta.dir, 'scripts', script)}`);
  }

  /** Types a command line of `cni-debug`. */
  type(words: string | readonly string[], request: Run = {}): Promise<Answer> {
    return this.node.type(words, request);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.node[Symbol.asyncDispose]();
  }
}
