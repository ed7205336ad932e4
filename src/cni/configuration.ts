import { ConfigurationValue } from './configuration-value.ts';
import { type Command, containerIDComplaint } from './environment.ts';
import { CniError, ErrorCode } from './error.ts';
import { isObject, type Json, type JsonObject, parseJson } from './json.ts';
import { lookUp } from './keys.ts';
import { isAtLeast, isVersion, supportedVersions, type Version } from './version.ts';

/** A network configuration as a plugin gets it on stdin (section 1 and section 2, "Execution configuration"). */
export interface Configuration {
  readonly cniVersion: Version;
  readonly name: string;
  readonly type: string;
  /** Not yet looked at: see `result.ts`. Absent and `null` are both undefined. */
  readonly prevResult: Json | undefined;
  readonly runtimeConfig: JsonObject | undefined;
  /** All of it, in the spelling it came with. */
  readonly document: JsonObject;
}

/** What came on stdin as a document. Throws code 6. */
export function parseConfiguration(stdin: Buffer): JsonObject {
  if (stdin.length === 0) {
    throw new CniError(
      ErrorCode.decodingFailure,
      'stdin is empty: a network configuration in JSON belongs there',
    );
  }
  let document: Json;
  try {
    document = parseJson(stdin.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CniError(
      ErrorCode.decodingFailure,
      `the network configuration on stdin is not JSON: ${reason}`,
      {
        cause: error,
      },
    );
  }
  if (isObject(document)) return document;
  throw new CniError(ErrorCode.decodingFailure, 'the network configuration on stdin is not a JSON object');
}

/**
 * The keys that every plugin shares. Throws code 7 when a value is malformed, code 1 when the version is unknown or
 * has no such command (CHECK since 0.4.0, GC and STATUS since 1.1.0). A `name` that is `needless` may be missing, and
 * is empty then.
 */
export function readConfiguration(
  document: JsonObject,
  command: Command,
  needless: readonly string[] = [],
): Configuration {
  const root = new ConfigurationValue('', document);
  const [cniVersion = '', name = '', type = ''] = ['cniVersion', 'name', 'type'].map((key) =>
    root.key(key).text(),
  );
  const runtimeConfig = readRuntimeConfig(root.key('runtimeConfig'), command);
  if (name !== '' || !needless.includes('name')) checkName(name);
  const version = readVersion(cniVersion, command);
  const prevResult = lookUp(document, 'prevResult') ?? undefined;
  return { cniVersion: version, name, type, prevResult, runtimeConfig, document };
}

/** The version that answers should be in, whatever else is wrong with the document. */
export function versionOf(document: JsonObject | undefined): Version | undefined {
  const version = document === undefined ? undefined : lookUp(document, 'cniVersion');
  return isVersion(version) ? version : undefined;
}

/** What removes things does not depend on it. */
function readRuntimeConfig(value: ConfigurationValue, command: Command): JsonObject | undefined {
  const removes = command === 'DEL' || command === 'GC';
  return removes && !isObject(value.value) ? undefined : value.object();
}

function checkName(name: string): void {
  if (name === '') throw new CniError(ErrorCode.invalidConfiguration, 'missing network name');
  const complaint = containerIDComplaint(name);
  if (complaint === undefined) return;
  throw new CniError(ErrorCode.invalidConfiguration, `name: ${JSON.stringify(name)} ${complaint}`);
}

function readVersion(text: string, command: Command): Version {
  // An empty version means the first one, as in the reference's configuration decoder.
  const version = text === '' ? '0.1.0' : text;
  if (!isVersion(version)) {
    throw new CniError(ErrorCode.incompatibleVersion, 'incompatible CNI versions', {
      details: `config is ${JSON.stringify(text)}, plugin supports ${JSON.stringify(supportedVersions)}`,
    });
  }
  const since =
    command === 'CHECK' ? '0.4.0' : command === 'GC' || command === 'STATUS' ? '1.1.0' : undefined;
  if (since !== undefined && !isAtLeast(version, since)) {
    throw new CniError(ErrorCode.incompatibleVersion, `config version does not allow ${command}`, {
      details: `config is "${version}", ${command} came with ${since}`,
    });
  }
  return version;
}
