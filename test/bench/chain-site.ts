import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Implementation } from '../root/implementations.ts';
import { answerOf, Bench, type Prepared, run, runTogether, start } from './calls.ts';

// biome-ignore lint/suspicious/noExplicitAny: a configuration is written as JSON.
type Json = any;
type Command = 'ADD' | 'DEL';

export interface Contender {
  readonly name: string;
  readonly by: Implementation;
  /** The one program that its plugins find in PATH, if they must not find more. */
  readonly program?: string;
  /** The configurations that the runtime calls one after the other, of the two plugins' own. */
  readonly calls: (bench: Bench, bridge: Json, portmap: Json) => Json[];
}

/** A node of a contender's own with its pods, so that none lists the rules of another. */
export class Site {
  readonly name: string;
  readonly times = { ADD: [] as number[], DEL: [] as number[], 'ADD and DEL': [] as number[] };
  private readonly bench = new Bench();
  private readonly pods: readonly string[];
  private readonly by: Implementation;
  private readonly calls: Contender['calls'];

  constructor({ name, by, program, calls }: Contender, pods: number) {
    this.name = name;
    this.by = program === undefined ? by : { ...by, path: this.pathWith(program) };
    this.calls = calls;
    this.pods = Array.from({ length: pods }, (_, index) => this.bench.namespace(`pod${index}`));
  }

  oneByOne(pod: number, isMeasured: boolean): void {
    this.bench.enter();
    const attachment = this.attachment(this.pods[pod] ?? '', pod);
    const addMs = attachment.run('ADD');
    const delMs = attachment.run('DEL');
    if (isMeasured) this.note(addMs, delMs);
  }

  async allAtOnce(atOnce: number, isMeasured: boolean): Promise<void> {
    this.bench.enter();
    const attachments = this.pods.map((pod, index) => this.attachment(pod, index));
    const all = (command: Command) => attachments.map((one) => () => one.start(command));
    const addMs = await runTogether(all('ADD'), atOnce);
    const delMs = await runTogether(all('DEL'), atOnce);
    if (isMeasured) this.note(addMs, delMs);
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
  }

  private attachment(netns: string, index: number): Attachment {
    const base = { cniVersion: '1.0.0', name: 'net' };
    const ipam = {
      type: 'host-local',
      dataDir: join(this.bench.folder, 'leases'),
      ranges: [[{ subnet: '10.64.0.0/16' }]],
    };
    const bridge = { ...base, type: 'bridge', bridge: 'cni0', isDefaultGateway: true, ipMasq: true, ipam };
    const portMappings = [{ hostPort: 20_000 + index, containerPort: 80, protocol: 'tcp' }];
    const capabilities = { portMappings: true };
    const portmap = { ...base, type: 'portmap', capabilities, runtimeConfig: { portMappings } };
    return new Attachment(this.bench, this.by, netns, this.calls(this.bench, bridge, portmap));
  }

  private pathWith(program: string): string {
    const folder = join(this.bench.folder, 'path');
    mkdirSync(folder);
    symlinkSync(
      Bun.which(program, { PATH: `${process.env.PATH}:/usr/sbin:/sbin` }) ?? '',
      join(folder, program),
    );
    return folder;
  }

  private note(addMs: number, delMs: number): void {
    this.times.ADD.push(addMs);
    this.times.DEL.push(delMs);
    this.times['ADD and DEL'].push(addMs + delMs);
  }
}

/** What a runtime knows of an attachment while it calls one plugin of the chain after the other. */
class Attachment {
  private readonly bench: Bench;
  private readonly by: Implementation;
  private readonly netns: string;
  private readonly calls: readonly Json[];
  private result: Json;

  constructor(bench: Bench, by: Implementation, netns: string, calls: readonly Json[]) {
    this.bench = bench;
    this.by = by;
    this.netns = netns;
    this.calls = calls;
  }

  /** The time from start to exit of all of them together, in milliseconds. */
  run(command: Command): number {
    let ms = 0;
    for (const call of this.inOrder(command)) {
      const prepared = this.prepare(command, call);
      ms += run(prepared);
      if (command === 'ADD') this.result = answerOf(prepared);
    }
    return ms;
  }

  async start(command: Command): Promise<void> {
    for (const call of this.inOrder(command)) {
      const prepared = this.prepare(command, call);
      await start(prepared);
      if (command === 'ADD') this.result = answerOf(prepared);
    }
  }

  private inOrder(command: Command): readonly Json[] {
    return command === 'ADD' ? this.calls : this.calls.toReversed();
  }

  private prepare(command: Command, call: Json): Prepared {
    const prevResult = this.result && { prevResult: this.result };
    return this.bench.prepare(command, this.by, { ...call, ...prevResult }, this.netns);
  }
}
