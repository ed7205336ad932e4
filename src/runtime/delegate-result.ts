import { CniError } from '../cni/error.ts';
import type { JsonObject } from '../cni/json.ts';
import { readResult, versionOfResult } from '../cni/result.ts';
import type { Version } from '../cni/version.ts';
import type { PluginCall } from './exec-plugin.ts';
import { wrongResult } from './plugin-outcome.ts';

/**
 * What an executable answered ADD, found valid in the version that it names, else in `version`, its configuration's.
 * Throws code `pluginFailure` for what is no result.
 */
export function readDelegateResult(account: PluginCall, version: Version): JsonObject {
  const { outcome } = account;
  const answer = (outcome.ok ? outcome.result : undefined) ?? null;
  try {
    return readResult(answer, versionOfResult(answer, version), 'result');
  } catch (thrown) {
    throw wrongResult(account, CniError.from(thrown));
  }
}
