import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, answered, builtInPath, run } from '../../program.ts';
import { FakePlugin } from '../debug/fake-plugin.ts';

/** The subnet.env of SEEDS.md, section 2. */
export const seed = [
  'FLANNEL_NETWORK=192.168.0.0/16',
  'FLANNEL_SUBNET=192.168.22.129/26',
  'FLANNEL_MTU=1450',
  'FLANNEL_IPMASQ=false',
];

const flannel = join(builtInPath, 'flannel');

/** Calls of the flannel plugin with files of its own, and with a delegate `fake` that keeps what it is given. For `using`. */
export class FlannelCall extends FakePlugin {
  readonly subnetFile = join(this.folder, 'subnet.env');
  readonly dataDir = join(this.folder, 'flannel-data');

  private readonly keys = {
    ...{ type: 'flannel', delegate: { type: 'fake' } },
    ...{ subnetFile: this.subnetFile, dataDir: this.dataDir },
  };

  constructor(lines: readonly string[] = seed) {
    super();
    this.writeSubnet(...lines);
  }

  writeSubnet(...lines: string[]): void {
    writeFileSync(this.subnetFile, lines.map((line) => `${line}\n`).join(''));
  }

  /** A call with `fake` as the delegate, unless `keys` say otherwise. */
  flannel(command: string, keys: object = {}, variables: Record<string, string> = {}): Promise<Answer> {
    return this.call(command, { ...this.keys, ...keys }, variables, [flannel]);
  }

  /** ADD that gets SIGTERM when its delegate is at work, which does not end by itself. */
  async end(): Promise<Answer> {
    this.write('touch "$d/running"; exec sleep 60');
    const stdin = this.configuration({ ...this.keys });
    let pid = 0;
    const started = (id: number) => {
      pid = id;
    };
    const answer = run([flannel], { environment: this.environment('ADD'), stdin, started });
    while (!existsSync(join(this.folder, 'running'))) await Bun.sleep(5);
    process.kill(pid, 'SIGTERM');
    return answer;
  }

  /** One that must fail: its error. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads an answer as JSON.
  async fail(command: string, keys: object = {}, variables: Record<string, string> = {}): Promise<any> {
    const answer = await this.flannel(command, keys, variables);
    if (answer.status === 0) throw new Error(`${command} succeeded: ${answer.stdout}`);
    return answered(answer);
  }

  /** What the delegate was given in the one call that it got, whichever command that was. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  onlyGiven(): any {
    return this.configurationGiven(this.commands()[0]);
  }

  /** Names of the files in `dataDir`. */
  states(): string[] {
    return existsSync(this.dataDir) ? readdirSync(this.dataDir).sort() : [];
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above.
  state(name: string): any {
    return JSON.parse(readFileSync(join(this.dataDir, name), 'utf8'));
  }

  writeState(name: string, content: string | object): void {
    mkdirSync(this.dataDir, { recursive: true });
    writeFileSync(join(this.dataDir, name), typeof content === 'string' ? content : JSON.stringify(content));
  }

  modeOf(name: string): number {
    return statSync(join(this.dataDir, name)).mode & 0o777;
  }
}
