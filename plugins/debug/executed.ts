import { withTrace } from '../../src/cni/trace-context.ts';
import { execPlugin } from '../../src/runtime/exec-plugin.ts';
import { wrongResult } from '../../src/runtime/plugin-outcome.ts';
import type { Account, Order } from './account.ts';
import type { Call } from './call.ts';

/** Runs a plugin's executable and passes on what it says on stderr. Never rejects. */
export async function runExecutable(call: Call, path: string, order: Order): Promise<Account> {
  const { writeStderr } = call.invocation;
  const environment = withTrace(call.invocation.environment, order.context);
  const at = call.trace.elapsed;
  const ran = await execPlugin({ ...order, path, environment, redact: call.redact });
  const { argv, type, command, stdout, stderr, pid, status, signal, durationMs, outcome } = ran;
  if (stderr !== '') writeStderr(stderr.endsWith('\n') ? stderr : `${stderr}\n`);
  const record = {
    ...{ type, command, argv, environment: ran.environment, stdin: order.configuration, stdout, stderr },
    ...{ spanID: order.context.spanID, at, pid, status, signal, duration: durationMs },
    failure: outcome.ok ? undefined : outcome.error.message,
  };
  const hasAdded = command === 'ADD' && outcome.ok;
  const hasRun = pid !== undefined;
  return { record, hasRun, hasAdded, outcome, wrongResult: (reason) => wrongResult(ran, reason) };
}
