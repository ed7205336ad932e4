import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Clock, Invocation, Plugin, Request } from '../../src/cni/plugin.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { Recorder } from '../../src/trace/recorder.ts';
import { Trace } from '../../src/trace/trace.ts';
import { type Call, openCall } from './call.ts';
import { type ReadSettings, readSettings } from './configuration.ts';
import { type Delegate, openDelegate } from './delegate.ts';
import { runHooks } from './hooks.ts';
import { checkAttachment, checkPrevResult } from './prev-result.ts';

/** Records every call and passes it on: to the next plugin of the chain, or to the one it wraps. */
export function debugPlugin(clock: Clock): Plugin {
  const trace = new Trace(clock);
  // A process answers one call, so what is read for its record is read for its operation, too.
  let read: ReadSettings | undefined;
  const settingsOf = ({ document }: Request) => {
    read ??= readSettings(document);
    return read;
  };
  const open = (invocation: Invocation) => openCall(invocation, trace, settingsOf(invocation));
  return {
    observe: (request, answer) => new Recorder(request, settingsOf(request).settings, trace).record(answer),
    add: (invocation) => add(open(invocation)),
    check: (invocation) => check(open(invocation)),
    del: (invocation) => del(open(invocation)),
    gc: (invocation) => collect(open(invocation)),
    status: (invocation) => status(open(invocation)),
  };
}

/** Answers with prevResult, or with what the delegate answers. */
async function add(call: Call): Promise<JsonObject> {
  call.refuseProblems();
  const prevResult = checkPrevResult(call);
  const delegate = openDelegate(call);
  if (delegate !== undefined) return addWrapped(call, delegate);
  if (prevResult === undefined) throw misplaced(call);
  await runHooks(call, 'addHooks');
  return prevResult;
}

/** A plugin whose ADD fails gets its DEL (section 4, "Delegated Plugins"), and so does one whose ADD we fail. */
async function addWrapped(call: Call, delegate: Delegate): Promise<JsonObject> {
  try {
    const result = await delegate.add();
    await runHooks(call, 'addHooks');
    return result;
  } catch (error) {
    if (error instanceof NamespaceLostError) throw error;
    await delegate.undoAdd();
    throw error;
  }
}

/** Compares prevResult with the namespace; the delegate does its own check. All that is wrong is one error. */
async function check(call: Call): Promise<void> {
  call.refuseProblems();
  const prevResult = checkPrevResult(call);
  if (prevResult === undefined) {
    throw new CniError(ErrorCode.invalidConfiguration, 'prevResult: is missing, and CHECK compares with it');
  }
  await call.all(
    () => openDelegate(call)?.run(),
    () => checkAttachment(call, prevResult),
    () => runHooks(call, 'checkHooks'),
  );
}

/** Does not stop at an error: what can be removed is removed. */
async function del(call: Call): Promise<void> {
  call.noteProblems();
  await call.all(
    () => void checkPrevResult(call),
    () => runHooks(call, 'delHooks'),
    () => openDelegate(call)?.run(),
    () => call.refuseLostDelegate(),
  );
}

async function collect(call: Call): Promise<void> {
  call.noteProblems();
  await openDelegate(call)?.run();
  call.refuseLostDelegate();
}

async function status(call: Call): Promise<void> {
  call.refuseProblems();
  await openDelegate(call)?.run();
}

function misplaced({ invocation }: Call): CniError {
  const { type, name } = invocation.configuration;
  return new CniError(
    ErrorCode.invalidConfiguration,
    `prevResult: is missing. Without "delegate", "${type || 'debug'}" only passes on what the plugin before it made: ` +
      `in the list of network "${name}" it belongs behind a plugin that makes the interface, such as bridge. ` +
      'To stand first, it needs a "delegate"',
  );
}
