import { closeSync, constants, lstatSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { EINVAL, ENOENT } from './errno.ts';
import { lockFile } from './file-lock.ts';
import { mount, umount2 } from './libc.ts';
import { CURRENT, NotNetworkNamespaceError, openNamespace, runInNew } from './netns.ts';
import { SystemError, withSystemError } from './system-error.ts';

/**
 * Makes a network namespace that lives on under a path, as `ip netns add` does (iproute2, ip/ipnetns.c): its
 * loopback is down. Throws SystemError, EEXIST when the path exists.
 */
export function createNamespace(path: string): void {
  if (folderOf(path) === RUN_FOLDER) shareRunFolder();
  closeSync(withSystemError('open', path, () => openSync(path, NEW_FILE, 0)));
  try {
    runInNew(() => mountOrThrow(CURRENT, path, MS_BIND));
  } catch (error) {
    unlinkSync(path);
    throw error;
  }
}

/**
 * Unmounts and deletes what createNamespace made, as `ip netns del` does. What is gone already is success. Throws
 * NotNetworkNamespaceError for a file that neither is nor was a namespace, and SystemError.
 */
export function removeNamespace(path: string): void {
  try {
    openNamespace(path).close();
    unmount(path);
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return;
    // A namespace's empty file stays behind when only its mount went, as by umount(8).
    if (!(error instanceof NotNetworkNamespaceError && isEmptyFile(path))) throw error;
  }
  try {
    withSystemError('unlink', path, () => unlinkSync(path));
  } catch (error) {
    if (!(error instanceof SystemError && error.errno === ENOENT)) throw error;
  }
}

/** NETNS_RUN_DIR of iproute2. */
const RUN_FOLDER = '/run/netns';
const LOCK_TIMEOUT_MS = 10_000;
const NEW_FILE = constants.O_RDONLY | constants.O_CREAT | constants.O_EXCL;

/** include/uapi/linux/mount.h and include/linux/fs.h */
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_SHARED = 0x10_0000;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')).replace(/^\/var\/run\//, '/run/');
}

/** Makes the folder a shared mount, so that other mount namespaces see what is mounted in it, and its removal. */
function shareRunFolder(): void {
  withSystemError('mkdir', RUN_FOLDER, () => mkdirSync(RUN_FOLDER, { recursive: true, mode: 0o755 }));
  const fd = withSystemError('open', RUN_FOLDER, () => openSync(RUN_FOLDER, constants.O_RDONLY));
  try {
    // iproute2 takes the same lock: two who both find no mount would stack one on the other.
    lockFile(fd, { path: RUN_FOLDER, timeoutMs: LOCK_TIMEOUT_MS });
    const shared = mount('', RUN_FOLDER, 'none', MS_SHARED | MS_REC);
    if (shared >= 0) return;
    if (shared !== -EINVAL) throw new SystemError('mount', -shared, RUN_FOLDER);
    mountOrThrow(RUN_FOLDER, RUN_FOLDER, MS_BIND | MS_REC);
    mountOrThrow('', RUN_FOLDER, MS_SHARED | MS_REC);
  } finally {
    closeSync(fd);
  }
}

function mountOrThrow(source: string, target: string, flags: number): void {
  const answer = mount(source, target, 'none', flags);
  if (answer < 0) throw new SystemError('mount', -answer, target);
}

function unmount(path: string): void {
  const answer = umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
  // EINVAL: no mount point of this mount namespace, or unmounted meanwhile.
  if (answer < 0 && answer !== -EINVAL && answer !== -ENOENT) throw new SystemError('umount2', -answer, path);
}

function isEmptyFile(path: string): boolean {
  const stats = lstatSync(path);
  return stats.isFile() && stats.size === 0;
}
