import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { NetworkList } from '../cni/conflist.ts';
import { type Json, type JsonObject, newObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { everyPlugin } from '../runtime/every-plugin.ts';
import { KnownSecrets } from '../trace/known-secrets.ts';
import { invalidPattern, redactor } from '../trace/redaction.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { Contents } from './contents.ts';
import { namespaceContents } from './namespace-contents.ts';
import { versionsOf } from './versions.ts';

/** What a bundle is about, and who knows of it. */
export interface BundleOrder {
  readonly version: string;
  /** The call in question; absent where nobody has recorded one. */
  readonly record: StoredRecord | undefined;
  /** Of the attachment, or the container, oldest first. */
  readonly records: readonly StoredRecord[];
  /** Files of its networks, by path, and those that could not be read. */
  readonly configurations: readonly { readonly path: string; readonly list: NetworkList }[];
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
  /** As its ADD was given it, as the cache has it. */
  readonly cached: readonly NetworkList[];
  /** Every network of the node, of other containers too: doctor speaks of them, and their secrets belong nowhere. */
  readonly everyNetwork: readonly NetworkList[];
  /** What else attachments were given that may be secret: arguments. */
  readonly everyArgument: readonly JsonObject[];
  readonly pluginPath: string;
  /** Of the container; empty where it is not known. */
  readonly netns: string;
  /** What is known of each attachment, as `explain --json`. */
  readonly explained: () => readonly JsonObject[];
  /** What `doctor` finds on the node, as `doctor --json`. */
  readonly diagnosed: () => Promise<JsonObject>;
}

/** More than a maintainer reads. */
const mostRecords = 500;

/** Everything that a maintainer needs, redacted, and what could not be had of it. */
export async function gather(order: BundleOrder): Promise<Contents> {
  const { record, records, configurations, refused, cached, everyNetwork, everyArgument, netns } = order;
  const lists = [...configurations.map(({ list }) => list), ...cached];
  const recorded = everyPlugin({ plugins: records.map(configurationOf) });
  const plugins = [...lists.flatMap(everyPlugin), ...recorded];
  const redact = redactor(patternsIn([...plugins, ...everyNetwork.flatMap(everyPlugin)]));
  const secrets = new KnownSecrets();
  const documents = [...lists, ...everyNetwork].map(({ document }) => document);
  for (const document of [...documents, ...everyArgument]) secrets.learn(document, redact);
  const contents = new Contents(redact, secrets);

  if (record === undefined)
    contents.leaveOut('record.json', 'there is no record of it: no "debug" in its chain');
  else await contents.json('record.json', () => record.document);
  if (records.length > 0)
    await contents.lines('records.ndjson', () => records.slice(-mostRecords).map(({ document }) => document));
  if (records.length > mostRecords)
    contents.leaveOut('records.ndjson', `the ${records.length - mostRecords} oldest records are left out`);
  for (const { path } of configurations)
    await contents.text(`configuration/${basename(path)}`, () => readFileSync(path, 'utf8'));
  for (const { path, reason } of refused) contents.leaveOut(`configuration/${basename(path)}`, reason);
  if (configurations.length === 0) contents.leaveOut('configuration', 'no file has its network any more');
  if (cached.length > 0)
    await contents.json('configuration/at-add.json', () => cached.map(({ document }) => document));
  const types = [...new Set(plugins.flatMap(typesIn))];
  await contents.json('versions.json', () => versionsOf(order.version, types, order.pluginPath));
  await contents.json('node.json', () => namespaceContents());
  if (netns === '') contents.leaveOut('container.json', 'its namespace is not known');
  else await contents.json('container.json', () => namespaceContents(netns));
  await contents.json('explain.json', () => [...order.explained()]);
  await contents.json('doctor.json', order.diagnosed);
  return contents;
}

/** What a reader sees first: what there is, what was taken out, what is missing and why. */
export function manifestOf({ files, missing }: Contents, about: { version: string; now: Date }): string {
  const list = files.map(({ name, text, redacted }) => ({ name, size: Buffer.byteLength(text), redacted }));
  const head = { cniDebug: about.version, made: about.now.toISOString() };
  return `${JSON.stringify({ ...head, files: list, missing }, null, 2)}\n`;
}

function configurationOf({ document: { configuration } }: StoredRecord): JsonObject {
  const isDocument =
    typeof configuration === 'object' && configuration !== null && !Array.isArray(configuration);
  return isDocument ? (configuration as JsonObject) : newObject();
}

/** Names of secrets that a chain knows besides those that everybody does. */
function patternsIn(plugins: readonly JsonObject[]): string[] {
  const listed = plugins.flatMap((plugin) => [lookUp(plugin, 'redact') ?? []].flat());
  const patterns = listed.filter((pattern): pattern is string => typeof pattern === 'string');
  return [...new Set(patterns)].filter((pattern) => invalidPattern(pattern) === undefined);
}

function typesIn(plugin: JsonObject): string[] {
  const ipam = lookUp(plugin, 'ipam') as Json | undefined;
  const own = [plugin, ipam].map((object) =>
    typeof object === 'object' && object !== null ? lookUp(object as JsonObject, 'type') : undefined,
  );
  return own.filter((type): type is string => typeof type === 'string' && type !== '' && !type.includes('/'));
}
