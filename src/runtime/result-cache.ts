import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from '../cni/args.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { isObject, type Json, type JsonObject, newObject, parseJson, stringifyJson } from '../cni/json.ts';
import { readRegularFile } from '../kernel/regular-file.ts';
import { SystemError, withSystemError } from '../kernel/system-error.ts';
import { writeWholeFile } from '../kernel/whole-file.ts';

/** Where libcni keeps what it knows of attachments (`CacheDir`), unless it is told otherwise. */
export const defaultCacheDir = '/var/lib/cni';

/** What distinguishes an attachment from every other on a node. */
export interface AttachmentKey {
  readonly network: string;
  readonly containerID: string;
  readonly ifName: string;
}

/** An attachment as a runtime remembers it between ADD and DEL (libcni, `cachedInfo`). */
export interface CachedAttachment extends AttachmentKey {
  /** Where no file says it, as in libcni before 1.3, the sandbox that the result names; else empty. */
  readonly netns: string;
  /** CNI_ARGS. */
  readonly args: string;
  readonly capabilityArgs: JsonObject;
  /** The network configuration that ADD was done with, as text. */
  readonly config: string;
  /** What ADD answered, in the list's version; undefined while it is not known. */
  readonly result: JsonObject | undefined;
}

/** A cached attachment and the file that it came from. */
export interface CacheEntry {
  readonly path: string;
  /** When it was written. */
  readonly since: Date;
  readonly attachment: CachedAttachment;
}

/** What is cached, and the files in between that make no sense. */
export interface CacheContent {
  readonly entries: readonly CacheEntry[];
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * The attachments of this node, a file each in `<folder>/results`, in libcni's format and under its names: containerd,
 * CRI-O, cnitool and we read each other's. A file is there whole or not at all, which libcni does not promise.
 */
export class ResultCache {
  readonly #results: string;

  constructor(readonly folder = defaultCacheDir) {
    this.#results = join(folder, 'results');
  }

  pathOf({ network, containerID, ifName }: AttachmentKey): string {
    return join(this.#results, `${network}-${containerID}-${ifName}`);
  }

  /**
   * Undefined when nothing is cached. Throws code 6 for a file that makes no sense (somebody was killed while he wrote
   * it, or it is of another program), which must keep nobody from a DEL; and SystemError.
   */
  read(key: AttachmentKey): CachedAttachment | undefined {
    return this.find(key)?.attachment;
  }

  /** As `read`, and from where. */
  find(key: AttachmentKey): CacheEntry | undefined {
    const path = this.pathOf(key);
    const since = statSync(path, { throwIfNoEntry: false })?.mtime;
    const text = textOf(path);
    if (text === undefined || since === undefined) return undefined;
    const attachment = parseEntry(path, text, key);
    if (isSame(attachment, key)) return { path, since, attachment };
    throw takenBy(attachment, path);
  }

  /** Throws SystemError: a full disk, mostly; and code 6 where the file's name is another attachment's. */
  write(attachment: CachedAttachment): void {
    const other = this.#otherThan(attachment);
    if (other !== undefined) throw takenBy(other, this.pathOf(attachment));
    withSystemError('mkdir', this.#results, () => mkdirSync(this.#results, { recursive: true, mode: 0o700 }));
    const path = this.pathOf(attachment);
    const name = path.slice(this.#results.length + 1);
    // Not beside it: libcni takes every file there for an attachment.
    const temporary = join(this.folder, `.${name}.new`);
    writeWholeFile(path, stringifyJson(entryOf(attachment)), { temporary, mode: 0o600 });
  }

  /** What is not there is success, and another attachment's stays. Throws SystemError. */
  remove(key: AttachmentKey): void {
    const path = this.pathOf(key);
    if (this.#otherThan(key) !== undefined) return;
    withSystemError('unlink', path, () => rmSync(path, { force: true }));
  }

  /** Everything that is cached, oldest first. Throws SystemError; where there is no folder, nothing is cached. */
  list(): CacheContent {
    const entries: CacheEntry[] = [];
    const refused: { path: string; reason: string }[] = [];
    for (const name of namesIn(this.#results)) {
      const path = join(this.#results, name);
      try {
        const since = statSync(path).mtime;
        const text = textOf(path);
        if (text !== undefined) entries.push({ path, since, attachment: parseEntry(path, text) });
      } catch (error) {
        // Removed between the two looks.
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
        refused.push({ path, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    entries.sort((one, other) => Number(one.since) - Number(other.since));
    return { entries, refused };
  }

  /** Whose file has this name, if it is not the attachment's own: network "a-b" and container "c" are as "a" and "b-c". */
  #otherThan(key: AttachmentKey): CachedAttachment | undefined {
    const path = this.pathOf(key);
    try {
      const attachment = parseEntry(path, textOf(path) ?? '', key);
      return isSame(attachment, key) ? undefined : attachment;
    } catch {
      return undefined;
    }
  }
}

function isSame(one: AttachmentKey, other: AttachmentKey): boolean {
  return (['network', 'containerID', 'ifName'] as const).every((key) => one[key] === other[key]);
}

function takenBy({ network, containerID, ifName }: AttachmentKey, path: string): CniError {
  const whose = `"${ifName}" of container "${containerID}" in network "${network}"`;
  return new CniError(
    ErrorCode.decodingFailure,
    `${path} is of another attachment with the same name: ${whose}`,
  );
}

/** The file of an attachment, with its keys in libcni's order. */
export function entryOf(attachment: CachedAttachment): JsonObject {
  const { containerID, config, ifName, network, netns, args, capabilityArgs, result } = attachment;
  const pairs: Json[] = [...parseArgs(args).values].map(([key, value]) => [key, value]);
  const members: [string, Json | undefined][] = [
    ['kind', KIND],
    ['containerId', containerID],
    ['config', Buffer.from(config).toString('base64')],
    ['ifName', ifName],
    ['networkName', network],
    ['netns', netns === '' ? undefined : netns],
    ['cniArgs', pairs.length === 0 ? undefined : pairs],
    ['capabilityArgs', Object.keys(capabilityArgs).length === 0 ? undefined : capabilityArgs],
    ['result', result],
  ];
  return newObject(members.filter((member): member is [string, Json] => member[1] !== undefined));
}

/** What `entryOf` has written. Throws code 6 when it is something else. */
export function readEntry(entry: Json): CachedAttachment {
  if (!isObject(entry)) throw new CniError(ErrorCode.decodingFailure, 'it is no JSON object');
  if (entry.kind !== KIND) {
    const kind = entry.kind === undefined ? 'no "kind"' : `the kind ${stringifyJson(entry.kind)}`;
    throw new CniError(ErrorCode.decodingFailure, `it has ${kind} where "${KIND}" belongs`);
  }
  const text = (key: string) => (typeof entry[key] === 'string' ? entry[key] : '');
  const [network, containerID, ifName] = [text('networkName'), text('containerId'), text('ifName')];
  if (network === '' || containerID === '' || ifName === '') {
    const message = 'one of "networkName", "containerId" and "ifName" is missing';
    throw new CniError(ErrorCode.decodingFailure, message);
  }
  const pairs = Array.isArray(entry.cniArgs) ? entry.cniArgs : [];
  const result = isObject(entry.result) ? entry.result : undefined;
  return {
    ...{ network, containerID, ifName },
    netns: text('netns') || sandboxOf(result),
    args: pairs.flatMap((pair) => (Array.isArray(pair) ? pair.join('=') : [])).join(';'),
    capabilityArgs: isObject(entry.capabilityArgs) ? entry.capabilityArgs : newObject(),
    config: Buffer.from(text('config'), 'base64').toString('utf8'),
    result,
  };
}

/** A path: what is in a virtual machine may have another kind of sandbox. */
function sandboxOf(result: JsonObject | undefined): string {
  const interfaces = Array.isArray(result?.interfaces) ? result.interfaces.filter(isObject) : [];
  const sandboxes = interfaces.map(({ sandbox }) => (typeof sandbox === 'string' ? sandbox : ''));
  return sandboxes.find((sandbox) => sandbox.startsWith('/')) ?? '';
}

/** In bytes; what plugins answer is not longer either. */
const longest = 16 * 1024 * 1024;

/** libcni's `CNICacheV1`. */
const KIND = 'cniCacheV1';

/** `key` is known where the file was asked for by name: libcni once wrote the bare result there. */
function parseEntry(path: string, text: string, key?: AttachmentKey): CachedAttachment {
  try {
    if (text.trim() === '') throw new Error('it is empty');
    const entry = parseJson(text);
    const isBareResult =
      key !== undefined && isObject(entry) && entry.kind === undefined && 'cniVersion' in entry;
    if (!isBareResult) return readEntry(entry);
    const netns = sandboxOf(entry);
    return { ...key, netns, args: '', capabilityArgs: newObject(), config: '', result: entry };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CniError(ErrorCode.decodingFailure, `${path} is damaged: ${reason}`, { cause: error });
  }
}

function textOf(path: string): string | undefined {
  return unlessMissing(undefined, () => readRegularFile(path, longest));
}

function namesIn(folder: string): string[] {
  return unlessMissing([], () => withSystemError('open', folder, () => readdirSync(folder)));
}

function unlessMissing<T, A>(otherwise: A, look: () => T): T | A {
  try {
    return look();
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return otherwise;
    throw error;
  }
}
