import { isObject, type Json, type JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';

/** Every plugin type that a configuration names, at whatever depth: delegates and `ipam` among them. */
export function typesIn(document: JsonObject): string[] {
  return [...new Set(objectsIn(document).map((object) => lookUp(object, 'type')))].filter(isName);
}

/** Every text in it that is an absolute path, but those of logs, which a call writes anew. */
export function pathsIn(document: JsonObject): string[] {
  const texts = objectsIn(document).flatMap((object) =>
    Object.entries(object).flatMap(([key, value]) => (isLog(key) ? [] : [value].flat())),
  );
  return [...new Set(texts.filter((text) => typeof text === 'string' && text.startsWith('/')))] as string[];
}

/** The logs that it names: of `debug`, and of the delegates that may be `debug`. */
export function logsIn(document: JsonObject): string[] {
  return objectsIn(document).flatMap((object) => {
    const journal = lookUp(object, 'journal');
    const paths = [lookUp(object, 'cniOutput'), isObject(journal) ? lookUp(journal, 'path') : undefined];
    return paths.filter((path) => typeof path === 'string' && path.startsWith('/')) as string[];
  });
}

/** The folders that plugins are told to keep their state in. */
export function dataDirsIn(document: JsonObject): string[] {
  const paths = objectsIn(document).map((object) => lookUp(object, 'dataDir'));
  return paths.filter((path) => typeof path === 'string' && path.startsWith('/')) as string[];
}

/** Each `ipam` of host-local in it. */
export function hostLocalIn(document: JsonObject): JsonObject[] {
  return objectsIn(document).flatMap((object) => {
    const ipam = lookUp(object, 'ipam');
    return isObject(ipam) && (lookUp(ipam, 'type') ?? 'host-local') === 'host-local' ? [ipam] : [];
  });
}

/**
 * The links of the node that it builds on: `master` of macvlan, ipvlan and vlan, `dev` of a route, `device` of
 * host-device; not the bridges that it makes itself.
 */
export function nodeLinksIn(document: JsonObject): string[] {
  const named = (...keys: string[]) =>
    objectsIn(document).flatMap((object) => keys.map((key) => lookUp(object, key)).filter(isName));
  const made = named('bridge');
  return [...new Set(named('master', 'dev', 'device'))].filter((name) => !made.includes(name));
}

/** The object, and all objects in it, but those of prevResult. */
function objectsIn(value: Json): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (!isObject(value)) return [];
  const inner = Object.entries(value).filter(([key]) => key !== 'prevResult');
  return [value, ...inner.flatMap(([, member]) => objectsIn(member))];
}

function isName(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('/');
}

function isLog(key: string): boolean {
  return ['cnioutput', 'journal'].includes(key.toLowerCase());
}
