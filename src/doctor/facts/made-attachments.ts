import { readConfiguration } from '../../cni/configuration.ts';
import { type NetworkList, parseConflist, pluginConfiguration } from '../../cni/conflist.ts';
import { latestResult } from '../../cni/conversion.ts';
import { isObject, type Json, type JsonObject } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import { type Result, readResult, versionOfResult } from '../../cni/result.ts';
import { delegateConfiguration } from '../../runtime/delegate-configuration.ts';
import { inVersionOf } from '../../runtime/detach.ts';
import type { AttachmentKey, CacheEntry } from '../../runtime/result-cache.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';

/** A container that lives and is no beginner, with all that the runtime remembers of its ADD. */
export interface MadeAttachment {
  readonly network: string;
  readonly containerID: string;
  readonly ifName: string;
  readonly netns: string;
  /** The file that says so, and when it was written. */
  readonly path: string;
  readonly since: Date;
  /** Of the latest version. */
  readonly result: Result;
  /** What each plugin of the chain, and each delegate of `debug`, got on stdin. */
  readonly plugins: readonly MadePlugin[];
}

export interface MadePlugin {
  readonly type: string;
  readonly document: JsonObject;
}

/** The attachments whose container is there, by the cache alone: who is not in it has no configuration to compare with. */
export function madeAttachments(survey: Survey): readonly MadeAttachment[] {
  return survey.once('made attachments', 'attachments', () => {
    const entries = survey
      .cache()
      .entries.filter(({ attachment, since }) => isPresent(survey, attachment) && survey.isSettled(since));
    // Of hundreds of attachments the configuration is one and the same.
    const lists = new Map<string, NetworkList>();
    const read = (config: string) => {
      const list = lists.get(config) ?? parseConflist(config);
      lists.set(config, list);
      return list;
    };
    return survey.each(entries, (entry) => see(entry.path, () => madeBy(entry, read))).flat();
  });
}

/** Whether its container is there, as it was found when all attachments were looked at. */
export function isPresent(survey: Survey, attachment: AttachmentKey): boolean {
  const present = survey.once('present attachments', 'attachments', () => {
    const found = survey.attachments().filter(({ state }) => state === 'alive' || state === 'no-interface');
    return new Set(found.map(keyOf));
  });
  return present.has(keyOf(attachment));
}

/** `container ID IFNAME`, as findings have it. */
export function containerText({ containerID, ifName }: { containerID: string; ifName: string }): string {
  return `container ${containerID} ${ifName}`;
}

function keyOf({ network, containerID, ifName }: AttachmentKey): string {
  return [network, containerID, ifName].join('\n');
}

/** libcni of before 1.0 may have kept no result. */
function madeBy(
  { path, since, attachment }: CacheEntry,
  read: (config: string) => NetworkList,
): MadeAttachment[] {
  const { network, containerID, ifName, netns, config, result, capabilityArgs } = attachment;
  if (result === undefined || config === '') return [];
  const list = read(config);
  const prevResult = inVersionOf(list, result);
  const version = versionOfResult(prevResult, list.cniVersion);
  const plugins = list.plugins.flatMap((plugin) =>
    withDelegates(pluginConfiguration(list, plugin, { prevResult, capabilityArgs })),
  );
  const latest = latestResult(readResult(prevResult, version, 'result'), version);
  return [{ network, containerID, ifName, netns, path, since, result: latest, plugins }];
}

/** A network that has a file, and what its plugins would get from a runtime, without a container's part. */
export interface ConfiguredNetwork {
  readonly name: string;
  readonly path: string;
  readonly plugins: readonly MadePlugin[];
}

/** Those that `--network` leaves in. One whose configuration makes no sense is a matter of `lint`. */
export function configuredNetworks(survey: Survey): readonly ConfiguredNetwork[] {
  return survey.once('configured networks', survey.settings.confDir, () => {
    const networks = survey.files().networks.filter(({ list }) => survey.concerns(list.name));
    return survey.each(networks, ({ list, path }) =>
      see(path, () => {
        const plugins = list.plugins.flatMap((plugin) => withDelegates(pluginConfiguration(list, plugin)));
        return { name: list.name, path, plugins };
      }),
    );
  });
}

function withDelegates(document: JsonObject): MadePlugin[] {
  const type = String(lookUp(document, 'type') ?? '');
  const delegates: Json[] = type === 'debug' ? [lookUp(document, 'delegate') ?? []].flat() : [];
  const outer = delegates.length === 0 ? undefined : readConfiguration(document, 'ADD');
  const given = delegates.flatMap((delegate) => {
    if (!isObject(delegate) || outer === undefined) return [];
    return [
      {
        type: String(lookUp(delegate, 'type') ?? ''),
        document: delegateConfiguration(outer, delegate),
      },
    ];
  });
  return [{ type, document }, ...given];
}
