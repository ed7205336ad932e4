import { isObject, type Json, type JsonObject, newObject } from '../cni/json.ts';
import { withKey } from '../cni/keys.ts';
import { placeholder } from '../trace/span.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { ReplayRefusal } from './refusal.ts';

/** What a plugin is given: its environment, and its stdin. */
export interface Input {
  readonly environment: Readonly<Record<string, string>>;
  readonly document: JsonObject;
}

/** What takes the place of values that were redacted. */
export interface Amendment {
  /** By path, such as `configuration.ipam.token` or `environment.TOKEN`. */
  readonly values: ReadonlyMap<string, Json>;
  /** The others are left out. */
  readonly leaveOut: boolean;
}

/**
 * The input of a recorded call, made whole. Throws ReplayRefusal where the record does not have all of it: it was cut, or
 * redacted and nothing was given in its place.
 */
export function recordedInput(record: StoredRecord, amendment: Amendment): Input {
  const { configuration, prevResult, environment, stdin } = record.document;
  if (typeof stdin === 'string')
    throw new ReplayRefusal(
      `record ${record.id} is of a call whose stdin was no JSON, so it has no configuration`,
    );
  for (const [name, part] of Object.entries({ configuration, prevResult })) {
    if (typeof part === 'string')
      throw new ReplayRefusal(
        `${name} of record ${record.id} is cut: the call brought more than a record keeps`,
      );
  }
  if (!isObject(configuration) || !isObject(environment))
    throw new ReplayRefusal(`record ${record.id} has no configuration or no environment`);
  const missing: string[] = [];
  const amend = (value: Json, path: string) => amended(value, path, amendment, missing);
  const whole = {
    configuration: amend(configuration, 'configuration') as JsonObject,
    prevResult: prevResult === undefined ? undefined : amend(prevResult, 'prevResult'),
    environment: amend(environment, 'environment') as JsonObject,
  };
  if (missing.length > 0) throw redactedRefusal(record, missing);
  const document =
    whole.prevResult === undefined
      ? whole.configuration
      : withKey(whole.configuration, 'prevResult', whole.prevResult);
  const texts = Object.entries(whole.environment).filter(([, value]) => typeof value === 'string');
  return { document, environment: Object.fromEntries(texts) as Record<string, string> };
}

function redactedRefusal({ id }: StoredRecord, missing: readonly string[]): ReplayRefusal {
  const what = missing.length === 1 ? 'one value that was' : `${missing.length} values that were`;
  return new ReplayRefusal(`record ${id} has ${what} redacted: ${missing.join(', ')}`, [
    `say what they were: ${missing.map((path) => `--set '${path}=VALUE'`).join(' ')}`,
    'or do without them: --leave-out',
  ]);
}

/** A copy with what is given in place of redacted values; `missing` gets the paths of those that nothing is given for. */
function amended(value: Json, path: string, amendment: Amendment, missing: string[]): Json | undefined {
  const given = amendment.values.get(path);
  if (given !== undefined) return given;
  if (typeof value === 'string')
    return value.includes(placeholder) ? leftOut(value, path, amendment, missing) : value;
  if (Array.isArray(value)) {
    const items = value.map((item, index) => amended(item, `${path}[${index}]`, amendment, missing));
    return items.filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  return newObject(
    Object.entries(value).flatMap(([key, member]) => {
      const whole = amended(member, `${path}.${key}`, amendment, missing);
      return whole === undefined ? [] : [[key, whole] as const];
    }),
  );
}

function leftOut(text: string, path: string, { leaveOut }: Amendment, missing: string[]): string | undefined {
  if (!leaveOut) missing.push(path);
  if (path !== 'environment.CNI_ARGS') return undefined;
  // The other pairs say which pod it is.
  const pairs = text.split(';').filter((pair) => !pair.includes(placeholder));
  return pairs.join(';');
}
