import type { Finding } from '../findings/finding.ts';
import type { Namespace } from '../kernel/netns.ts';
import { type Contents, contentsHere, contentsIn } from '../node/contents.ts';
import { everyNamespace } from '../node/every-namespace.ts';
import type { Subject } from './subject.ts';
import type { Target } from './target.ts';

/** One thing that was tried, and what came of it. */
export interface Step {
  /** `gateway 10.1.0.1` */
  readonly what: string;
  readonly outcome: 'ok' | 'failed' | 'not tried' | 'not looked at';
  /** What was seen, or why not. */
  readonly text: string;
  /** The ID of the finding that it failed with. */
  readonly finding?: string;
}

export interface ProbeOptions {
  /** Where to connect to by TCP. */
  readonly targets: readonly Target[];
  /** How long to wait for an answer, in ms. */
  readonly timeoutMs: number;
  /** Called before each step with what it is about, for whoever waits. */
  readonly onStep?: (what: string) => void;
}

/** What all steps of one probe share: where they look, how much time there is, and what they have found. */
export class ProbeRun {
  readonly steps: Step[] = [];
  readonly findings: Finding[] = [];
  /** The namespace of this process, which is the node's. */
  readonly node = undefined;
  readonly #deadline = performance.now() + BUDGET_MS;
  #inside: Contents | undefined;
  #outside: Contents | undefined;
  #pidInside: { readonly pid: number | undefined } | undefined;

  constructor(
    readonly subject: Subject,
    /** The container's namespace. */
    readonly pod: Namespace,
    readonly options: ProbeOptions,
  ) {}

  /** Links, addresses and routes of the container. Throws NetlinkError and SystemError. */
  get inside(): Contents {
    this.#inside ??= contentsIn(this.subject.netns);
    return this.#inside;
  }

  get outside(): Contents {
    this.#outside ??= contentsHere();
    return this.#outside;
  }

  /** One that runs in the container; undefined where none does. */
  get pidInside(): number | undefined {
    this.#pidInside ??= { pid: processIn(this.pod) };
    return this.#pidInside.pid;
  }

  /** The families of which the container has an address that others reach, IPv4 first. */
  get families(): (4 | 6)[] {
    const global = this.inside.addresses.filter(({ scope }) => scope === RT_SCOPE_UNIVERSE);
    return ([4, 6] as const).filter((family) => global.some((one) => one.family === family));
  }

  /** How long something may take that would like to take so long; 0 when the time of the whole probe is over. */
  timeFor(ms: number): number {
    const leftMs = this.#deadline - performance.now();
    return leftMs < LEAST_MS ? 0 : Math.min(ms, leftMs);
  }

  /** What was found that keeps everything from working: nothing more is tried. */
  blocker: Finding | undefined;

  ok(what: string, text: string): void {
    this.steps.push({ what, outcome: 'ok', text });
  }

  /**
   * What was found before is not found twice: of one cause there is one finding, the worst that it does, and silence follows from
   * it.
   */
  fail(what: string, found: Finding, { blocks = false } = {}): void {
    const index = this.findings.findIndex(({ id, object }) => id === found.id && object === found.object);
    const known = this.findings[index];
    const causes = SILENCE.includes(found.id) ? this.findings.filter(({ id }) => !SILENCE.includes(id)) : [];
    const follows = causes.map(({ id, object }) => ({ id, object }));
    if (known === undefined)
      this.findings.push({ ...found, follows: [...(found.follows ?? []), ...follows] });
    else if (known.severity === 'warning' && found.severity === 'error')
      this.findings[index] = { ...found, follows: known.follows ?? [] };
    if (blocks) this.blocker ??= found;
    this.steps.push({ what, outcome: 'failed', text: found.cause, finding: found.id });
  }

  notTried(what: string, text: string): void {
    this.steps.push({ what, outcome: 'not tried', text });
  }

  /** It should have been looked at, and that was not possible. */
  notLookedAt(what: string, text: string): void {
    this.steps.push({ what, outcome: 'not looked at', text });
  }
}

function processIn({ id }: Namespace): number | undefined {
  const found = everyNamespace().namespaces.find((one) => one.id === id);
  return found?.pids.find((pid) => pid !== process.pid);
}

/** include/uapi/linux/rtnetlink.h */
const RT_SCOPE_UNIVERSE = 0;
/** Of a whole probe, when everything is dropped. */
const BUDGET_MS = 14_000;
/** What would have less is not begun. */
const LEAST_MS = 200;
/** That nobody answers, which has a reason; any other finding may be that. */
const SILENCE = ['P012', 'P014'];
