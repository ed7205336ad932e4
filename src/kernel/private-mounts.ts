import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { EINVAL, ENOENT, ENOTDIR } from './errno.ts';
import { mount, unshare } from './libc.ts';
import { SystemError, withSystemError } from './system-error.ts';

/**
 * Moves this thread, and what it starts from now on, into mount and network namespaces of its own, for the rest of the
 * process: mounts of others do not come in, and ours do not go out. All of it ends with the process and with what it has
 * started, however these end. Throws SystemError (EPERM).
 */
export function leaveNode(): void {
  const left = unshare(CLONE_NEWNS | CLONE_NEWNET);
  if (left < 0) throw new SystemError('unshare', -left);
  mountOrThrow('', '/', 'none', MS_REC | MS_PRIVATE);
  // The working directory may be covered.
  process.chdir('/');
}

/**
 * Makes every file that this thread sees read-only, but those of /proc and /dev, where the kernel says what may be
 * written. `covered` are folders that will be covered with others. Throws SystemError.
 */
export function freezeFiles(covered: readonly string[]): void {
  const isBelow = (point: string, folder: string) => point === folder || point.startsWith(`${folder}/`);
  const spared = ['/proc', '/dev', '/sys', ...covered];
  for (const { point, flags, type } of mountPoints()) {
    // To look at an automount waits for what it mounts, and that has a line of its own.
    if (type === 'autofs' || spared.some((folder) => isBelow(point, folder))) continue;
    const answer = mount('', point, 'none', MS_REMOUNT | MS_BIND | MS_RDONLY | flags);
    // What another mount hides is at no path, so that nobody can write there.
    if (answer < 0 && !HIDDEN.includes(-answer)) throw new SystemError('mount', -answer, point);
  }
}

/** Covers a folder with an empty one in memory, for root alone to write. Throws SystemError. */
export function coverFolder(path: string, mode: number): void {
  mountOrThrow('tmpfs', path, 'tmpfs', MS_NOSUID | MS_NODEV);
  chmodSync(path, mode);
}

/** /sys as the network namespace of this thread has it. Throws SystemError. */
export function mountOwnSys(): void {
  mountOrThrow('sysfs', '/sys', 'sysfs', 0);
}

/** A folder as it is now, to be shown again, read-only, when something covers it. */
export interface KeptFolder {
  readonly path: string;
  /** Mounts it where it was. Throws SystemError. */
  show(): void;
}

/** Throws SystemError. */
export function keepFolder(path: string): KeptFolder {
  const fd = withSystemError('open', path, () => openSync(path, O_PATH | constants.O_DIRECTORY));
  return {
    path,
    show() {
      withSystemError('mkdir', path, () => mkdirSync(path, { recursive: true, mode: 0o755 }));
      mountOrThrow(`/proc/thread-self/fd/${fd}`, path, 'none', MS_BIND);
      mountOrThrow('', path, 'none', MS_REMOUNT | MS_BIND | MS_RDONLY);
      closeSync(fd);
    },
  };
}

/** The folder itself, behind all links; undefined where there is none. */
export function realFolder(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    return statSync(real).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}

interface MountPoint {
  readonly point: string;
  readonly type: string;
  /** MS_*, as it is mounted now: what is not said again would be taken away. */
  readonly flags: number;
}

/** Documentation/filesystems/proc.rst, 3.5: "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
function mountPoints(): MountPoint[] {
  const text = readFileSync('/proc/thread-self/mountinfo', 'utf8');
  return text.split('\n').flatMap((line) => {
    const [, , , , point = '', options = '', ...rest] = line.split(' ');
    if (point === '') return [];
    const flags = options.split(',').reduce((sum, option) => sum | (flagOf[option] ?? 0), 0);
    return [{ point: unescaped(point), type: rest[rest.indexOf('-') + 1] ?? '', flags }];
  });
}

/** Space, tab, line break and backslash stand there as three octal digits. */
function unescaped(path: string): string {
  const bytes = Buffer.from(path, 'latin1').toString('latin1');
  return bytes.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function mountOrThrow(source: string, target: string, type: string, flags: number): void {
  const answer = mount(source, target, type, flags);
  if (answer < 0) throw new SystemError('mount', -answer, target);
}

/** include/uapi/linux/sched.h */
const CLONE_NEWNS = 0x2_0000;
const CLONE_NEWNET = 0x4000_0000;

/** include/uapi/linux/mount.h */
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_REMOUNT = 32;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_PRIVATE = 0x4_0000;
const flagOf: Readonly<Record<string, number>> = {
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: 8,
  noatime: 1024,
  nodiratime: 2048,
  relatime: 0x20_0000,
};

/** The path leads nowhere, or to what is no mount point. */
const HIDDEN = [ENOENT, ENOTDIR, EINVAL];

/** include/uapi/asm-generic/fcntl.h; node:fs has no constant for it. */
const O_PATH = 0o10000000;
