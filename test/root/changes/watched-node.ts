import { join } from 'node:path';
import type { Change } from '../../../src/trace/change.ts';
import { changeSentences } from '../../../src/trace/change-sentences.ts';
import { builtInPath, debug, referencePath, run } from '../../program.ts';
import { Node } from '../node.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads a record as JSON, and writes a configuration as such.
export type Json = any;

/** Where plugins are looked for: ours first, or the reference's. */
export const cniPath = {
  ours: [builtInPath, ...referencePath].join(':'),
  reference: [...referencePath, builtInPath].join(':'),
};

/** A node whose plugins are wrapped by a `debug` that looks at what they do. */
export class WatchedNode extends Node {
  constructor(first: keyof typeof cniPath = 'ours') {
    super();
    this.cniPath = cniPath[first];
  }

  /** A list of one `debug` that wraps these. */
  wrapping(...delegate: Json[]): string {
    const logs = { cniOutput: this.scratch.log, journal: { path: this.scratch.journal } };
    const plugins = [
      { type: 'debug', ...logs, snapshot: true, capabilities: { portMappings: true }, delegate },
    ];
    return JSON.stringify({ cniVersion: '1.0.0', name: 'net', plugins });
  }

  ipam(...subnets: string[]): Json {
    const ranges = (subnets.length > 0 ? subnets : ['10.22.0.0/16']).map((subnet) => [{ subnet }]);
    const dataDir = join(this.scratch.folder, 'leases');
    return { type: 'host-local', dataDir, ranges, routes: [{ dst: '0.0.0.0/0' }] };
  }

  bridge(keys: Json = {}): Json {
    const flags = { isGateway: true, ipMasq: true, hairpinMode: true };
    return { type: 'bridge', bridge: 'cni0', ...flags, ipam: this.ipam(), ...keys };
  }

  portmap(keys: Json = {}): Json {
    return { type: 'portmap', capabilities: { portMappings: true }, ...keys };
  }

  /** One call of debug by itself, which others may run beside. */
  call(command: string, document: Json, variables: Record<string, string>) {
    const environment = { ...this.scratch.environment(command), CNI_PATH: this.cniPath, ...variables };
    const stdin = JSON.stringify(document);
    return run(['ip', 'netns', 'exec', this.node, ...debug], { environment, stdin });
  }

  /** The record of the last call that has ended. */
  lastCall(): Json & { changes: Change[] } {
    return this.scratch
      .records()
      .filter(({ kind }) => kind === 'call')
      .at(-1);
  }

  sentences(): string[] {
    return changeSentences(this.lastCall());
  }
}
