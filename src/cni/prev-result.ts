import type { Configuration } from './configuration.ts';
import { convertResult, latestResult } from './conversion.ts';
import { CniError, ErrorCode } from './error.ts';
import type { JsonObject } from './json.ts';
import { type Result, readResult, versionOfResult } from './result.ts';

/** What CHECK compares with. Throws code 7 when it is malformed or missing. */
export function requiredPrevResult(configuration: Configuration): Result {
  const result = readPrevResult(configuration);
  if (result !== undefined) return result.latest;
  throw new CniError(ErrorCode.invalidConfiguration, 'Required prevResult missing');
}

/** What a plugin that stands behind others in a list works on and passes on. Throws code 7 as above. */
export function chainedResult(configuration: Configuration): PrevResult {
  const result = readPrevResult(configuration);
  if (result !== undefined) return result;
  const { type, name } = configuration;
  throw new CniError(ErrorCode.invalidConfiguration, 'must be called as chained plugin', {
    details: `prevResult is missing: in the list of network "${name}", "${type}" belongs behind a plugin that makes the interface, such as bridge`,
  });
}

/** prevResult, read in the version that it names. */
export interface PrevResult {
  /** As ADD passes it on, with all that it came with. */
  readonly document: JsonObject;
  /** The same of the latest version, to work with. */
  readonly latest: Result;
}

/**
 * Undefined where there is none, as for a plugin that stands first. Throws code 7, and code 999 for one that could not
 * be passed on in the configuration's version: after ADD has acted that would be too late.
 */
export function readPrevResult({ prevResult, cniVersion }: Configuration): PrevResult | undefined {
  if (prevResult === undefined) return undefined;
  const version = versionOfResult(prevResult, cniVersion);
  const document = readResult(prevResult, version, 'prevResult');
  convertResult(document, version, cniVersion);
  return { document, latest: latestResult(document, version) };
}
