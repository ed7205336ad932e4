import { latestResult } from '../../src/cni/conversion.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import { isObject, type Json, type JsonObject, newObject } from '../../src/cni/json.ts';
import { withKey } from '../../src/cni/keys.ts';
import type { Problem } from '../../src/cni/problem.ts';
import { parseResult, resultProblems, versionOfResult } from '../../src/cni/result.ts';
import type { Version } from '../../src/cni/version.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { refuseDifferences } from '../../src/trace/differences.ts';
import { type Comparisons, compareWithNamespace } from '../../src/trace/namespace-check.ts';
import { examineResult } from '../../src/trace/result-examination.ts';
import type { Call } from './call.ts';

/**
 * prevResult as `validate` wants it looked at, undefined when there is none. What is only suspicious becomes a finding.
 * Throws code 7 when it is malformed, unless `validate` is lenient or the command is DEL, which does not depend on it.
 */
export function checkPrevResult(call: Call): JsonObject | undefined {
  const { command, configuration } = call.invocation;
  const { prevResult, cniVersion } = configuration;
  // A bridge begins a chain: what was before its ADD is none of its affair.
  if (prevResult === undefined || (call.isBridge && command === 'ADD')) return undefined;
  // In the configuration's version, as skel reads it.
  return call.trace.step('check prevResult', () => checkResult(call, prevResult, cniVersion, 'prevResult'));
}

/** The same for any result of this call, read in `cniVersion`; `at` is its name in the messages. */
export function checkResult(call: Call, document: Json, cniVersion: Version, at: string): JsonObject {
  const { invocation, settings, trace } = call;
  const { command, netns } = invocation;
  if (settings.validate === 'off' && isObject(document)) return document;
  const parsed = parseResult(document, cniVersion, at);
  if (!('value' in parsed)) return toleratedResult(call, document, parsed.problems, cniVersion, at);
  const result = parsed.value;
  const latest = latestResult(result, versionOfResult(result, cniVersion));
  trace.findings.push(...examineResult(latest, at));
  if (command === 'ADD') {
    const { suspicions, differences } = look(() => compareWithNamespace(latest, netns, at));
    trace.findings.push(...suspicions, ...differences);
  }
  return result;
}

/** A malformed one: an error, or as many findings as it has problems. */
function toleratedResult(
  { invocation, settings, trace }: Call,
  document: Json,
  problems: Problem[],
  cniVersion: Version,
  at: string,
): JsonObject {
  // DEL has to remove what it can, whatever it is told that there was.
  const isTolerated = invocation.command === 'DEL' || (settings.validate !== 'error' && isObject(document));
  if (!isTolerated) {
    throw new CniError(ErrorCode.invalidConfiguration, problems.map(({ message }) => message).join('; '));
  }
  for (const { path, message } of problems) trace.find('malformed-result', path, message);
  if (!isObject(document)) return newObject();
  // One that fits the version it names is understood all the same; any other goes on as it came.
  const named = versionOfResult(document, cniVersion);
  const parsed = parseResult(document, named, at);
  return 'value' in parsed ? parsed.value : withKey(document, 'cniVersion', cniVersion);
}

/** CHECK: what differs is an error that names all of it, or findings as `validate` says. */
export function checkAttachment(call: Call, prevResult: JsonObject): void {
  const { invocation, settings, trace } = call;
  const version = versionOfResult(prevResult, invocation.configuration.cniVersion);
  // With what is malformed nothing can be compared, and that it is has been said.
  if (settings.validate === 'off' || resultProblems(prevResult, version, 'prevResult').length > 0) return;
  const { suspicions, differences } = trace.step('compare with namespace', () =>
    look(() => compareWithNamespace(latestResult(prevResult, version), invocation.netns, 'prevResult')),
  );
  trace.findings.push(...suspicions, ...differences);
  if (settings.validate === 'warn') return;
  refuseDifferences(
    differences.map(({ message }) => message),
    'namespace',
  );
}

/** That the namespace cannot be looked at is itself a difference. */
function look(compare: () => Comparisons): Comparisons {
  try {
    return compare();
  } catch (error) {
    if (error instanceof NamespaceLostError) throw error;
    const message = `CNI_NETNS: ${error instanceof Error ? error.message : String(error)}`;
    return { suspicions: [], differences: [{ rule: 'namespace-unreadable', object: 'CNI_NETNS', message }] };
  }
}
