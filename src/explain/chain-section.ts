import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { isObject, type JsonObject, stringifyJson } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import type { NetworkFile } from '../runtime/network-files.ts';
import type { StoredRecord } from '../trace/stored-record.ts';

/** What is known of the configuration that an attachment was made with. */
export interface ChainKnowledge {
  /** The network's file of today. */
  readonly file: NetworkFile | undefined;
  /** The configuration that ADD was given, as the cache has it; empty where it does not. */
  readonly config: string;
  /** Of this attachment, newest first. */
  readonly records: readonly StoredRecord[];
}

/** The file, and each plugin with its part: what it was to do, how long it took, and where that is recorded. */
export function chainLines({ file, config, records }: ChainKnowledge): string[] {
  const added = config === '' ? undefined : parseConflist(config);
  const list = added ?? file?.list;
  const path = file === undefined ? 'no file has this network any more' : file.path;
  const version = list === undefined ? '' : `, CNI ${list.cniVersion}`;
  const head = `${path}${version}${changed(file?.list, added) ? '; the file has changed since its ADD' : ''}`;
  const width = Math.max(...(list?.plugins ?? []).map((plugin) => typeOf(plugin).length), 0);
  return [
    head,
    ...(list?.plugins ?? []).map((plugin, index) =>
      [`${index + 1} ${typeOf(plugin).padEnd(width)}`, keysOf(plugin), partOf(plugin, records)]
        .filter((text) => text !== '')
        .join('  '),
    ),
  ];
}

function changed(now: NetworkList | undefined, added: NetworkList | undefined): boolean {
  return (
    now !== undefined && added !== undefined && stringifyJson(now.document) !== stringifyJson(added.document)
  );
}

function typeOf(plugin: JsonObject): string {
  return String(lookUp(plugin, 'type') ?? '?');
}

/** What tells networks apart: whose bridge or master, which addresses, what else is asked for. */
function keysOf(plugin: JsonObject): string {
  const named = ['bridge', 'master', 'mode', 'mtu', 'vlan'].flatMap((key) => {
    const value = lookUp(plugin, key);
    return typeof value === 'string' || typeof value === 'number' ? [`${key} ${value}`] : [];
  });
  const flags = ['isGateway', 'isDefaultGateway', 'ipMasq', 'hairpinMode', 'snat'].filter(
    (key) => lookUp(plugin, key) === true,
  );
  const ipam = lookUp(plugin, 'ipam');
  const addresses = isObject(ipam) && typeof ipam.type === 'string' ? [`ipam ${ipam.type}`] : [];
  const delegates = [lookUp(plugin, 'delegate') ?? []].flat().flatMap((delegate) => {
    return isObject(delegate) ? [`delegate ${typeOf(delegate)}`] : [];
  });
  return [...named, ...flags, ...addresses, ...delegates].join(', ');
}

/** Of its last ADD. */
function partOf(plugin: JsonObject, records: readonly StoredRecord[]): string {
  const record = records.find(({ command, plugin: type, kind }) => {
    return command === 'ADD' && kind === 'call' && type === typeOf(plugin);
  });
  if (record === undefined) return '';
  const took = `${(record.duration ?? 0).toFixed(1)} ms`;
  return record.error === undefined
    ? `(ADD ${took}, record ${record.id})`
    : `(ADD failed after ${took}: ${record.error.msg}, record ${record.id})`;
}
