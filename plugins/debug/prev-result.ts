import { latestResult } from '../../src/cni/conversion.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import { isObject, type Json, type JsonObject, newObject } from '../../src/cni/json.ts';
import { withKey } from '../../src/cni/keys.ts';
import { readResult, resultProblems, versionOfResult } from '../../src/cni/result.ts';
import type { Version } from '../../src/cni/version.ts';
import { compareWithNamespace } from '../../src/trace/namespace-check.ts';
import { examineResult } from '../../src/trace/result-examination.ts';
import type { Finding } from '../../src/trace/trace.ts';
import type { Call } from './call.ts';

/** Code of a CHECK that found the namespace to differ from prevResult; 100 and up are a plugin's own. */
export const attachmentDiffers = 100;

/**
 * prevResult as `validate` wants it looked at, undefined when there is none. What is only suspicious becomes a finding.
 * Throws code 7 when it is malformed, unless `validate` is lenient or the command is DEL, which does not depend on it.
 */
export function checkPrevResult(call: Call): JsonObject | undefined {
  const { prevResult } = call.invocation.configuration;
  if (prevResult === undefined) return undefined;
  // In the configuration's version, as skel reads it.
  const { cniVersion } = call.invocation.configuration;
  return call.trace.step('check prevResult', () => checkResult(call, prevResult, cniVersion, 'prevResult'));
}

/** The same for any result of this call, read in `cniVersion`; `at` is its name in the messages. */
export function checkResult(call: Call, document: Json, cniVersion: Version, at: string): JsonObject {
  const { invocation, settings, trace } = call;
  const { command, netns } = invocation;
  if (settings.validate === 'off' && isObject(document)) return document;
  const problems = resultProblems(document, cniVersion, at);
  if (problems.length > 0 || !isObject(document)) {
    const isLenient = command === 'DEL' || (settings.validate !== 'error' && isObject(document));
    if (!isLenient) {
      throw new CniError(ErrorCode.invalidConfiguration, problems.map(({ message }) => message).join('; '));
    }
    for (const { path, message } of problems) trace.find('malformed-result', path, message);
    // Nothing can be said of what it means, so it goes on as it came.
    return withKey(isObject(document) ? document : newObject(), 'cniVersion', cniVersion);
  }
  const result = readResult(document, cniVersion, at);
  const latest = latestResult(result, versionOfResult(result, cniVersion));
  trace.findings.push(...examineResult(latest, at));
  if (command === 'ADD') trace.findings.push(...look(() => compareWithNamespace(latest, netns, at)));
  return result;
}

/** CHECK: what differs is an error that names all of it, or findings as `validate` says. */
export function checkAttachment(call: Call, prevResult: JsonObject): void {
  const { invocation, settings, trace } = call;
  const { cniVersion } = invocation.configuration;
  if (settings.validate === 'off') return;
  const latest = latestResult(prevResult, versionOfResult(prevResult, cniVersion));
  const differences = trace.step('compare with namespace', () =>
    look(() => compareWithNamespace(latest, invocation.netns, 'prevResult')),
  );
  trace.findings.push(...differences);
  if (differences.length === 0 || settings.validate === 'warn') return;
  const count = differences.length === 1 ? 'difference' : 'differences';
  const message = differences.map(({ message }) => message).join('; ');
  throw new CniError(
    attachmentDiffers,
    `${differences.length} ${count} between prevResult and namespace: ${message}`,
  );
}

/** That the namespace cannot be looked at is itself a finding. */
function look(compare: () => Finding[]): Finding[] {
  try {
    return compare();
  } catch (error) {
    const message = `CNI_NETNS: ${error instanceof Error ? error.message : String(error)}`;
    return [{ rule: 'namespace-unreadable', object: 'CNI_NETNS', message }];
  }
}
