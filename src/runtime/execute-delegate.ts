import type { Command } from '../cni/environment.ts';
import type { JsonObject } from '../cni/json.ts';
import type { Request } from '../cni/plugin.ts';
import { execPlugin, type PluginCall } from './exec-plugin.ts';

/** One call of a plugin's executable, by a plugin that delegates to it. */
export interface DelegateOrder {
  readonly type: string;
  /** The executable, as `findPlugin` finds it. */
  readonly path: string;
  readonly command: Command;
  readonly configuration: JsonObject;
}

/**
 * Runs the executable with the environment of the call that delegates, and passes on what it says on stderr (section 4,
 * "Delegated Plugins"). It is ended after a minute, and with the call. Rejects with the plugin's own error, or with what
 * kept it from answering.
 */
export async function executeDelegate(
  { environment, signal, writeStderr }: Pick<Request, 'environment' | 'signal' | 'writeStderr'>,
  order: DelegateOrder,
): Promise<PluginCall> {
  const account = await execPlugin({
    ...order,
    environment,
    // After a signal, what was finished is undone, before whoever sent it loses patience.
    ...(signal.aborted ? { timeoutMs: hurryMs } : { timeoutMs, signal }),
  });
  const { stderr, outcome } = account;
  if (stderr !== '') writeStderr(stderr.endsWith('\n') ? stderr : `${stderr}\n`);
  if (!outcome.ok) throw outcome.error;
  return account;
}

/** A DHCP server may take its time. */
const timeoutMs = 60_000;
const hurryMs = 3000;
