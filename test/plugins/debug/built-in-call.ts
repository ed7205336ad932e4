import type { BuiltIn, BuiltIns, Surroundings } from '../../../plugins/built-in.ts';
import { debugPlugin } from '../../../plugins/debug/plugin.ts';
import type { Plugin } from '../../../src/cni/plugin.ts';
import { run } from '../../../src/cni/skel.ts';
import type { Answer } from '../../program.ts';
import { FakePlugin } from './fake-plugin.ts';

/**
 * Calls of the debug plugin inside the process of the test, with built-in plugins of the test's own, and with fake
 * executables in CNI_PATH. For `using`.
 */
export class BuiltInCall extends FakePlugin {
  /** `ADD one`, and so on, for every call of a plugin made by `plugin`. */
  readonly operations: string[] = [];
  /** The process is asked to end by the signal of that name. */
  end: (name: string) => void = () => {};

  /** As the executable is run: what the skel would write, and its status. */
  async run(
    command: string,
    builtIns: BuiltIns,
    keys: Record<string, unknown> = {},
    variables: Record<string, string> = {},
  ): Promise<Answer> {
    const output = { stdout: '', stderr: '' };
    const status = await run('about', async (clock) => debugPlugin(clock, builtIns), {
      environment: { PATH: process.env.PATH ?? '', ...this.environment(command, variables) },
      clock: { now: () => new Date(), monotonic: () => performance.now() },
      readStdin: async () => Buffer.from(this.configuration(keys)),
      writeStdout: (text) => {
        output.stdout += text;
      },
      writeStderr: (text) => {
        output.stderr += text;
      },
      raise: async () => {},
      onSignal: (end) => {
        this.end = end;
      },
    });
    return { status, signal: null, ...output };
  }

  /** A built-in that answers ADD with a result, and keeps that it was called. */
  plugin(result: object, own: (surroundings: Surroundings) => Partial<Plugin> = () => ({})): BuiltIn {
    const keep = (command: string) => (invocation: { configuration: { type: string } }) =>
      void this.operations.push(`${command} ${invocation.configuration.type}`);
    return async (surroundings) => {
      const plugin: Plugin = {
        add: () => result as never,
        check: () => {},
        del: () => {},
        gc: () => {},
        status: () => {},
        ...own(surroundings),
      };
      const kept = (['add', 'check', 'del', 'gc', 'status'] as const).map((name) => [
        name,
        (invocation: never) => {
          keep(name.toUpperCase())(invocation);
          return plugin[name]?.(invocation);
        },
      ]);
      return Object.fromEntries(kept);
    };
  }

  /** The one record of kind `call`. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads a record as the operator's jq does.
  get record(): any {
    const [record, ...others] = this.records().filter(({ kind }) => kind === 'call');
    if (record === undefined || others.length > 0) throw new Error(`${others.length + 1} records`);
    return record;
  }
}
