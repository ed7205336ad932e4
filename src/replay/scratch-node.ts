import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { JsonObject } from '../cni/json.ts';
import { getLink } from '../kernel/netlink/link.ts';
import { changeLink } from '../kernel/netlink/link-change.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import {
  coverFolder,
  freezeFiles,
  keepFolder,
  leaveNode,
  mountOwnSys,
  realFolder,
} from '../kernel/private-mounts.ts';
import { findPluginIfAny } from '../runtime/find-plugin.ts';
import { dataDirsIn, logsIn, pathsIn, typesIn } from './named-in-configuration.ts';

/** Where plugins keep what they know: leases, caches, state, locks, sockets of daemons, logs. */
const stateFolders = ['/run', '/tmp', '/var/lib', '/var/log', '/var/tmp'];
/** The mode of each in memory: whoever may write it on a node. */
const modeOf = (folder: string) => (folder.endsWith('/tmp') ? 0o1777 : 0o755);
/** Which flannel reads unless told otherwise. */
const flannelFile = '/run/flannel/subnet.env';

/**
 * Makes this process a node of its own: a new network with only a loopback, and the files of the machine, read-only, with
 * empty folders where plugins keep their state. Of what `documents` name, the plugins and the files to be read are there
 * again. There is no way back, and nothing to take away: all of it ends with this process. Throws SystemError.
 */
export function becomeScratchNode(documents: readonly JsonObject[], cniPath: string): void {
  const files = [...documents.flatMap(pathsIn), flannelFile].flatMap(contentOf);
  const programs = documents.flatMap(typesIn).flatMap((type) => programFolder(type, cniPath));
  leaveNode();
  const state = coverable([
    ...stateFolders,
    ...documents.flatMap(dataDirsIn),
    ...documents.flatMap(logsIn).map((path) => dirname(path)),
  ]);
  const isCovered = (path: string) =>
    state.some((folder) => path === folder || path.startsWith(`${folder}/`));
  const folders = [...cniPath.split(':'), ...programs].flatMap((path) => realFolder(path) ?? []);
  const kept = outermost(folders.filter(isCovered)).map(keepFolder);
  freezeFiles(state);
  for (const folder of state) coverFolder(folder, modeOf(folder));
  for (const folder of kept) folder.show();
  for (const { path, content, mode } of files) {
    if (!isCovered(path) || existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
    chmodSync(path, mode);
  }
  mountOwnSys();
  const socket = openRouteSocket();
  const loopback = getLink(socket, 'lo');
  if (loopback !== undefined) changeLink(socket, loopback, { up: true });
  socket.close();
}

/** The folders that are there, each but once, and none that is in another. */
function coverable(paths: readonly string[]): string[] {
  const folders = paths.flatMap((path) => realFolder(path) ?? []);
  return outermost(folders.filter((folder) => folder !== '/'));
}

function outermost(folders: readonly string[]): string[] {
  const inOrder = [...new Set(folders)].sort();
  return inOrder.filter(
    (folder) => !inOrder.some((other) => other !== folder && folder.startsWith(`${other}/`)),
  );
}

/** A script may load what lies beside it. */
function programFolder(type: string, cniPath: string): string[] {
  try {
    const path = findPluginIfAny(type, cniPath);
    return path === undefined ? [] : [dirname(realpathSync(path))];
  } catch {
    // Whoever calls it says what is wrong with it.
    return [];
  }
}

interface FileContent {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** Longer ones are no configuration. */
const fileLimit = 1024 * 1024;

function contentOf(path: string): FileContent[] {
  try {
    const { size, mode } = statSync(path);
    const isRead = statSync(path).isFile() && size <= fileLimit;
    return isRead ? [{ path: realpathSync(path), content: readFileSync(path), mode: mode & 0o777 }] : [];
  } catch {
    // It was not there for the plugin either, which says so.
    return [];
  }
}
