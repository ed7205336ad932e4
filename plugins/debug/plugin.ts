import { convertResult } from '../../src/cni/conversion.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Clock, Invocation, Plugin, Request } from '../../src/cni/plugin.ts';
import { versionOfResult } from '../../src/cni/result.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { attemptAll } from '../../src/runtime/attempt-all.ts';
import { Recorder } from '../../src/trace/recorder.ts';
import { Trace } from '../../src/trace/trace.ts';
import type { BuiltIns } from '../built-in.ts';
import { type Call, openCall } from './call.ts';
import { type ReadSettings, readSettings } from './configuration.ts';
import { type DelegateList, openDelegates } from './delegate-list.ts';
import { runHooks } from './hooks.ts';
import { collectLinks, removeLink, setLink } from './netns-link.ts';
import { checkAttachment, checkPrevResult } from './prev-result.ts';

/**
 * Records every call and passes it on: to the next plugin of the chain, to those that it wraps, or, with `ipam`, to the
 * bridge that it is itself. `builtIns` are those that need no process of their own.
 */
export function debugPlugin(clock: Clock, builtIns: BuiltIns): Plugin {
  const trace = new Trace(clock);
  // A process answers one call, so what is read for its record is read for its operation, too.
  let read: ReadSettings | undefined;
  const settingsOf = ({ document }: Request) => {
    read ??= readSettings(document);
    return read;
  };
  const open = (invocation: Invocation) => openCall(invocation, trace, builtIns, settingsOf(invocation));
  return {
    observe: async (request, answer) => {
      trace.join(request.environment);
      const outcome = await new Recorder(request, settingsOf(request).settings, trace).record(answer);
      return trace.fault === undefined ? outcome : { ...outcome, fault: trace.fault.answer };
    },
    add: (invocation) => faulty(open(invocation), add),
    check: (invocation) => faulty(open(invocation), check),
    del: (invocation) => faulty(open(invocation), del),
    gc: (invocation) => faulty(open(invocation), collect),
    status: (invocation) => faulty(open(invocation), status),
  };
}

/** With `fault`, what that asks for. Nothing of it is loaded without. */
async function faulty<T>(call: Call, run: (call: Call) => Promise<T>): Promise<T> {
  const { fault } = call.settings;
  if (fault === undefined) return watched(call, run);
  const { withFault } = await import('./fault.ts');
  return withFault(call, fault, () => watched(call, run));
}

/** With `snapshot`, the parts of the call say what they changed. Nothing of that is loaded without. */
async function watched<T>(call: Call, run: (call: Call) => Promise<T>): Promise<T> {
  if (!call.settings.snapshot || call.invocation.command === 'STATUS') return run(call);
  const { CallChanges } = await import('./call-changes.ts');
  call.changes = new CallChanges(call);
  try {
    return await run(call);
  } finally {
    call.changes.close();
  }
}

/** Answers with prevResult, or with what the delegates answer. */
async function add(call: Call): Promise<JsonObject> {
  call.refuseProblems();
  const prevResult = checkPrevResult(call);
  const delegates = openDelegates(call);
  const result = delegates ? await addWrapped(call, delegates) : await passOn(call, prevResult);
  // Last, because it cannot fail: so there is never one to be taken back.
  await setLink(call);
  return result;
}

async function passOn(call: Call, prevResult: JsonObject | undefined): Promise<JsonObject> {
  if (prevResult === undefined) throw misplaced(call);
  const { cniVersion } = call.invocation.configuration;
  // What cannot be answered in that version is found out before anything is done.
  convertResult(prevResult, versionOfResult(prevResult, cniVersion), cniVersion);
  await runHooks(call, 'addHooks');
  return prevResult;
}

/** A plugin whose ADD fails gets its DEL (section 4, "Delegated Plugins"), and so does one whose ADD we fail. */
async function addWrapped(call: Call, delegates: DelegateList): Promise<JsonObject> {
  try {
    const result = await delegates.add();
    await runHooks(call, 'addHooks');
    return result;
  } catch (error) {
    if (error instanceof NamespaceLostError) throw error;
    await delegates.undoAdd();
    throw error;
  }
}

/** Compares prevResult with the namespace; the delegates do their own checks. All that is wrong is one error. */
async function check(call: Call): Promise<void> {
  call.refuseProblems();
  const prevResult = checkPrevResult(call);
  if (prevResult === undefined) {
    throw new CniError(ErrorCode.invalidConfiguration, 'prevResult: is missing, and CHECK compares with it');
  }
  await attemptAll(
    () => openDelegates(call)?.pass(),
    () => checkAttachment(call, prevResult),
    () => runHooks(call, 'checkHooks'),
  );
}

/** Does not stop at an error: what can be removed is removed. */
async function del(call: Call): Promise<void> {
  call.noteProblems();
  await attemptAll(
    () => void checkPrevResult(call),
    () => runHooks(call, 'delHooks'),
    () => openDelegates(call)?.pass(),
    () => removeLink(call),
    () => call.refuseLostDelegate(),
  );
}

async function collect(call: Call): Promise<void> {
  call.noteProblems();
  await attemptAll(
    () => openDelegates(call)?.pass(),
    () => collectLinks(call),
    () => call.refuseLostDelegate(),
  );
}

async function status(call: Call): Promise<void> {
  call.refuseProblems();
  await openDelegates(call)?.pass();
}

function misplaced({ invocation }: Call): CniError {
  const { type, name } = invocation.configuration;
  return new CniError(
    ErrorCode.invalidConfiguration,
    `prevResult: is missing. Without "delegate" or an "ipam" with a "type", "${type || 'debug'}" only passes on what the plugin before it made: ` +
      `in the list of network "${name}" it belongs behind a plugin that makes the interface, such as bridge. ` +
      'To stand first, it needs a "delegate", or an "ipam" with a "type" to be the bridge itself, or "bridge" and "subnet"',
  );
}
