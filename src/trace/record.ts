import { readFileSync } from 'node:fs';
import { parseArgs, podOf } from '../cni/args.ts';
import type { CniError } from '../cni/error.ts';
import { type Json, type JsonObject, stringifyJson } from '../cni/json.ts';
import { lookUp, withoutKeys } from '../cni/keys.ts';
import type { Outcome, Request } from '../cni/plugin.ts';
import { addressesOf } from '../cni/result.ts';
import { describeProcess, shorten } from './process-record.ts';
import type { Redactor } from './redaction.ts';
import type { Step, Trace } from './trace.ts';

/** Version of the record's schema, `v` in each record; a reader refuses one it does not know. */
export const recordVersion = 1;

/** Bytes of stdin that are kept as JSON: one call must not push the others out of the journal. */
const documentLimit = 256 * 1024;

/** What is known of a call before it is answered: the record of kind `begin`. Redacted. */
export function beginRecord(request: Request, trace: Trace, redactor: Redactor) {
  const { environment, document, stdin } = request;
  const key = (name: string) => document && lookUp(document, name);
  const head = {
    plugin: key('type'),
    command: environment.CNI_COMMAND,
    network: key('name'),
    cniVersion: key('cniVersion'),
    attachment: {
      containerID: environment.CNI_CONTAINERID,
      ifName: environment.CNI_IFNAME,
      netns: environment.CNI_NETNS,
    },
    pod: podOf(parseArgs(environment.CNI_ARGS ?? '')),
    capabilities: key('capabilities'),
  };
  return {
    v: recordVersion,
    kind: 'begin',
    id: trace.id,
    startedAt: trace.startedAt.toISOString(),
    ...(redactor.json(head as never) as JsonObject),
    environment: redactor.environment(environment),
    configuration: document && kept(withoutKeys(document, 'prevResult'), request, redactor),
    prevResult: kept(key('prevResult'), request, redactor),
    stdin: document ? undefined : shorten(redactor.text(stdin.toString('utf8'))),
    process: { pid: process.pid, ppid: process.ppid, parent: firstLine(`/proc/${process.ppid}/comm`) },
    boot: firstLine('/proc/sys/kernel/random/boot_id'),
    traceparent: environment.TRACEPARENT,
    trace: traceOf(trace, redactor),
    fault: trace.fault?.did,
  };
}

/** As it was understood: `traceparent` is what came. */
function traceOf({ context }: Trace, redactor: Redactor) {
  const { state, ...ids } = context;
  return state === undefined ? ids : { ...ids, state: redactor.text(state) };
}

/** As JSON, unless the call brought so much that only the beginning of its text is kept. */
function kept(value: Json | undefined, { stdin }: Request, redactor: Redactor): Json | undefined {
  if (value === undefined) return undefined;
  const redacted = redactor.json(value);
  return stdin.length <= documentLimit ? redacted : shorten(stringifyJson(redacted));
}

/** The whole call: the record of kind `call`. Redacted. */
export function callRecord(request: Request, trace: Trace, outcome: Outcome, redactor: Redactor) {
  return {
    ...beginRecord(request, trace, redactor),
    kind: 'call',
    duration: trace.elapsed,
    // They were kept as they ended: a part of a step before the whole.
    steps: [...trace.steps].sort(byTime).map((step) => redactTexts(step, redactor)),
    findings: trace.findings.map((finding) => redactTexts(finding, redactor)),
    hooks: trace.hooks.map((hook) => describeProcess(hook, redactor)),
    delegates: trace.delegates.map((delegate) => describeProcess(delegate, redactor)),
    changes: trace.changes && redactor.json(trace.changes.kept as never),
    changesLeftOut: trace.changes?.leftOut || undefined,
    ...('error' in outcome
      ? { error: describe(outcome.error, redactor) }
      : { result: kept(outcome.result, request, redactor) }),
  };
}

function byTime(one: Step, other: Step): number {
  return one.at - other.at || other.duration - one.duration;
}

/** One line for a person: `ADD cbr0 eth0 default/nginx: 10.22.0.5/16`; a fault that was asked for stands first. */
export function headline(request: Request, { fault }: Trace, outcome?: Outcome): string {
  const { environment, document } = request;
  const pod = podOf(parseArgs(environment.CNI_ARGS ?? ''));
  const network = document && lookUp(document, 'name');
  const whose = pod?.name ? `${pod.namespace ?? ''}/${pod.name}` : environment.CNI_CONTAINERID?.slice(0, 12);
  const words = [environment.CNI_COMMAND, network, environment.CNI_IFNAME, whose];
  const line = `${words.filter((word) => typeof word === 'string' && word !== '').join(' ')}: ${ending(outcome)}`;
  return fault === undefined ? line : `FAULT (${fault.did}): ${line}`;
}

function ending(outcome: Outcome | undefined): string {
  if (outcome === undefined) return 'begins';
  if ('error' in outcome) return `error ${outcome.error.code}: ${outcome.error.message}`;
  const addresses = addressesOf(outcome.result);
  return addresses.length === 0 ? 'done' : addresses.join(', ');
}

function redactTexts<T extends object>(fields: T, redactor: Redactor): T {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? redactor.text(value) : value]),
  ) as T;
}

function describe({ code, message, details }: CniError, redactor: Redactor) {
  return { code, msg: redactor.text(message), details: details === '' ? undefined : redactor.text(details) };
}

/** Undefined where the kernel does not show it to us. */
function firstLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').split('\n')[0];
  } catch {
    return undefined;
  }
}
