import { isObject } from '../../src/cni/json.ts';
import { lookUp } from '../../src/cni/keys.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import type { Change } from '../../src/trace/change.ts';
import { ChangeWatch, type PluginOf } from '../../src/trace/change-watch.ts';
import type { Call } from './call.ts';

/** More than that would push other calls out of the journal. */
const mostChanges = 200;

/** `snapshot`: what each part of a call changes, by looking before the first, between them and behind the last. */
export class CallChanges {
  private watch: ChangeWatch | undefined;
  private readonly own: Change[] = [];
  /** What others did meanwhile: the first to go where there is no room. */
  private readonly others: Change[] = [];

  constructor(private readonly call: Call) {}

  /** Before whatever changes something; only the first time is one. */
  begin(): void {
    if (this.watch !== undefined) return;
    const { invocation, trace } = this.call;
    const { command, containerID, ifName, netns, configuration } = invocation;
    this.attempt(() => {
      this.watch = new ChangeWatch({
        attachment: { network: configuration.name, containerID, ifName },
        collects: command === 'GC',
        netns,
        sysctls: namedSysctls(this.call),
        find: (rule, object, message) => trace.find(rule, object, message),
      });
      this.keep([]);
    });
  }

  /** What has changed since then, or since the last time, is this plugin's doing. */
  mark(plugin: PluginOf): void {
    const { watch } = this;
    if (watch === undefined) return;
    this.attempt(() => this.keep(watch.next(plugin)));
  }

  close(): void {
    this.watch?.close();
  }

  /** The network is as good when nobody looks at it. */
  private attempt(look: () => void): void {
    const { trace } = this.call;
    try {
      trace.step('snapshot', look);
    } catch (error) {
      if (error instanceof NamespaceLostError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      trace.find('snapshot-failed', 'snapshot', `snapshot: ${reason}`);
    }
  }

  private keep(changes: readonly Change[]): void {
    for (const one of changes) (one.whose === 'other' ? this.others : this.own).push(one);
    const all = [...this.own, ...this.others];
    this.call.trace.changes = {
      kept: all.slice(0, mostChanges),
      leftOut: Math.max(0, all.length - mostChanges),
    };
  }
}

/** Those that `tuning` is told to set. What is of one link comes with the link. */
function namedSysctls({ settings, invocation }: Call): string[] {
  return (settings.delegate ?? []).flatMap((own) => {
    const map = lookUp(own, 'sysctl');
    if (!isObject(map)) return [];
    const paths = Object.keys(map).map((name) =>
      name.replaceAll('IFNAME', invocation.ifName).replaceAll('.', '/'),
    );
    return paths.filter((path) => !/\/conf\/(?!all\/|default\/)/.test(path));
  });
}
