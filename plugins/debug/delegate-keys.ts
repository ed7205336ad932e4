import type { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { Attempt } from '../../src/cni/key-reader.ts';
import { withoutKeys } from '../../src/cni/keys.ts';
import type { Problem } from '../../src/cni/problem.ts';

/** The configuration of a plugin, or a list of them, each as it came. Undefined when none is left of what is malformed. */
export function readDelegates(value: ConfigurationValue, attempt: Attempt): JsonObject[] | undefined {
  const list = Array.isArray(value.value) ? attempt(value, listOfSome) : [value];
  const known = list?.map((own) => readDelegate(own, attempt)).filter((own) => own !== undefined) ?? [];
  return known.length === 0 ? undefined : known;
}

/** Whether the problem is one of those that leave a delegate unknown, so that it cannot be asked for anything. */
export function losesDelegate({ path }: Problem): boolean {
  return /^delegate(\[\d+\])?(\.type)?$/.test(path);
}

function listOfSome(value: ConfigurationValue): ConfigurationValue[] {
  const list = value.elements();
  if (list.length === 0) throw value.error('names no plugin');
  return list;
}

/** Of a delegate whose type is known everything else may be malformed: it can still be asked to remove what it made. */
function readDelegate(value: ConfigurationValue, attempt: Attempt): JsonObject | undefined {
  const own = attempt(value, () => value.object());
  if (own === undefined) return undefined;
  const type = attempt(value.key('type'), pluginName);
  const capabilities = attempt(value.key('capabilities'), declared);
  if (type === undefined) return undefined;
  return capabilities === undefined ? withoutKeys(own, 'capabilities') : own;
}

function pluginName(value: ConfigurationValue): string | undefined {
  return value.textThat((text) => text !== '' && !text.includes('/'), 'is not the name of a plugin');
}

/** What is declared; nothing at all is nothing wrong. */
function declared(value: ConfigurationValue): JsonObject {
  const map = value.object() ?? {};
  if (Object.values(map).every((flag) => typeof flag === 'boolean')) return map;
  throw value.error('is not a map of capabilities to true or false');
}
