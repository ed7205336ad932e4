import { join } from 'node:path';
import { OperatorNode } from '../cli/operator-node.ts';
import type { Answer, Run } from '../program.ts';

const bridge = {
  ...{ type: 'bridge', bridge: 'br-lab', isGateway: true },
  ipam: { type: 'host-local', subnet: '10.50.0.0/28', routes: [{ dst: '0.0.0.0/0' }] },
};
const portmap = { type: 'portmap', capabilities: { portMappings: true } };
const debug = { type: 'debug', cniOutput: false };

/** What the pods of a sound node are attached to: behind the node's address, or by routes that other nodes have. */
export const networks = {
  lab: { cniVersion: '1.1.0', name: 'lab', plugins: [{ ...bridge, ipMasq: true }, portmap, debug] },
  routed: {
    cniVersion: '1.1.0',
    name: 'lab',
    plugins: [
      bridge,
      { type: 'host-routes', routes: [{ dst: '10.70.0.0/24', gw: '192.0.2.2' }] },
      portmap,
      debug,
    ],
  },
};

/**
 * A node that is sound, for a script to break: network `lab` on bridge `br-lab` (10.50.0.1/28), pods `web` (10.50.0.2,
 * host port 8080 to its port 80) and `api` (10.50.0.3) with a server each, and the host `outside` (192.0.2.2, TCP port
 * 7000 and DNS), which knows the way to the pods of network `routed` only. For `await using`.
 */
export class FaultSite {
  private constructor(readonly node: OperatorNode) {}

  static async start(network: keyof typeof networks = 'lab'): Promise<FaultSite> {
    const site = new FaultSite(await OperatorNode.start({ hasProcesses: true }));
    try {
      site.node.configure('10-lab.conflist', networks[network]);
      await site.run('sound.sh');
      if (network === 'routed') await site.node.sh('ip -n outside route add 10.50.0.0/28 via 192.0.2.1');
      return site;
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Breaks it, as a script in `scripts` does. */
  async break(script: string): Promise<void> {
    await this.run(`scripts/${script}`);
  }

  /** Types a command line of `cni-debug`. */
  type(words: string | readonly string[], request: Run = {}): Promise<Answer> {
    return this.node.type(words, request);
  }

  private async run(script: string): Promise<void> {
    const [file, servers] = [script, 'servers.ts'].map((name) => join(import.meta.dir, name));
    await this.node.sh(`sh -eu ${file} ${process.execPath} ${servers}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.node[Symbol.asyncDispose]();
  }
}
