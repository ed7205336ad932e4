import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { isObject, type JsonObject, parseJson, stringifyJson } from '../../src/cni/json.ts';
import { lookUp } from '../../src/cni/keys.ts';
import type { ValidAttachment } from '../../src/cni/valid-attachments.ts';
import { readRegularFile } from '../../src/kernel/regular-file.ts';
import { SystemError, withSystemError } from '../../src/kernel/system-error.ts';
import { refuseItself } from './configuration.ts';

/** The configuration that an attachment's delegate was given, as it lies on disk. */
export interface State {
  readonly path: string;
  /** Undefined when what lies there cannot be read as one. */
  readonly configuration: JsonObject | undefined;
  /** Why that is so. */
  readonly damage: string;
}

/** Whose file it is, by its name; the reference's has no `ifName`. */
export interface Kept {
  readonly containerID: string;
  readonly ifName: string | undefined;
  readonly path: string;
}

/** As long as stdin may be, and what is added. */
const limit = 32 * 1024 * 1024;

/** An ADD does not write for as long as this: what is older was left by one that was killed. */
const writingMs = 10 * 60_000;

/**
 * The files of `dataDir`, one for each attachment, named `<container ID>:<interface>`: neither of them can have a colon,
 * so no two attachments have one name, and no container is called so, whose file the reference would take it for. The
 * content is the reference's. Everything throws SystemError.
 */
export class StateFiles {
  constructor(
    private readonly dataDir: string,
    /** Of others that keep their state here nothing is read or removed. */
    private readonly network: string,
  ) {}

  pathOf({ containerID, ifName }: ValidAttachment): string {
    return `${this.dataDir}/${containerID}:${ifName}`;
  }

  /** Of the attachment; else the one that the reference made for its container. Undefined without either. */
  find(attachment: ValidAttachment): State | undefined {
    return this.read(this.pathOf(attachment)) ?? this.read(`${this.dataDir}/${attachment.containerID}`);
  }

  /** Undefined when there is none, or another network's. */
  read(path: string): State | undefined {
    const state = this.readAny(path);
    const isOthers =
      state?.configuration !== undefined && lookUp(state.configuration, 'name') !== this.network;
    return isOthers ? undefined : state;
  }

  /** The network whose state this is. */
  nameIn(path: string): string | undefined {
    const { configuration } = this.readAny(path) ?? {};
    return configuration && String(lookUp(configuration, 'name'));
  }

  /** Whichever network's it is. */
  readAny(path: string): State | undefined {
    const state = readState(path);
    return state && { path, damage: '', configuration: undefined, ...state };
  }

  /** Whole or not at all, also when the node loses its power at that moment. */
  write(attachment: ValidAttachment, configuration: JsonObject): void {
    withSystemError('mkdir', this.dataDir, () => mkdirSync(this.dataDir, { recursive: true, mode: 0o700 }));
    const path = this.temporaryPathOf(attachment);
    remove(path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    const fd = withSystemError('open', path, () => openSync(path, flags, 0o600));
    try {
      withSystemError('write', path, () => {
        writeAll(fd, Buffer.from(stringifyJson(configuration)));
        fsyncSync(fd);
      });
      const final = this.pathOf(attachment);
      withSystemError('rename', final, () => renameSync(path, final));
    } catch (error) {
      remove(path);
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  remove({ path }: Pick<State, 'path'>): void {
    remove(path);
  }

  /** What an ADD that was killed has half written. */
  removeUnfinished(attachment: ValidAttachment): void {
    remove(this.temporaryPathOf(attachment));
  }

  /** All that are here, whoever's they are. */
  list(): Kept[] {
    return readNames(this.dataDir).flatMap((name) => {
      const [, containerID, ifName] = /^([^.:][^:]*)(?::(.+))?$/.exec(name) ?? [];
      return containerID === undefined ? [] : [{ containerID, ifName, path: `${this.dataDir}/${name}` }];
    });
  }

  /** The same of all of them. */
  removeAbandoned(now: number): void {
    for (const name of readNames(this.dataDir).filter((name) => /^\.[^.:][^:]*:/.test(name))) {
      const path = `${this.dataDir}/${name}`;
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats?.isFile() && now - stats.mtimeMs > writingMs) remove(path);
    }
  }

  /** No container ID begins with a dot. */
  private temporaryPathOf({ containerID, ifName }: ValidAttachment): string {
    return `${this.dataDir}/.${containerID}:${ifName}`;
  }
}

/** For a message. */
export function damaged({ path, damage }: State): string {
  return `${path} is damaged: ${damage}`;
}

/** Undefined when there is nothing. One that the disk does not give back is damaged like one that is cut. */
function readState(path: string): Partial<State> | undefined {
  try {
    const text = unless(noFile, undefined, () => readRegularFile(path, limit));
    return text === undefined ? undefined : parseState(text);
  } catch (error) {
    return { damage: error instanceof Error ? error.message : String(error) };
  }
}

function parseState(text: string): Partial<State> {
  if (text.trim() === '') return { damage: 'it is empty' };
  const document = parseJson(text);
  const isState = isObject(document) && [lookUp(document, 'type'), lookUp(document, 'name')].every(isName);
  if (!isState) return { damage: 'it is no configuration of a plugin' };
  refuseItself(new ConfigurationValue('', document));
  return { configuration: document };
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** ENAMETOOLONG: of a name that cannot be there. EISDIR: something else has the name of the container. */
const noFile = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'];
/** ELOOP: of a folder that is a link to itself. */
const noFolder = ['ENOENT', 'ENOTDIR', 'ELOOP'];

function readNames(folder: string): string[] {
  return unless(noFolder, [], () => withSystemError('open', folder, () => readdirSync(folder)));
}

/** Not asked to remove what is not there, a read-only disk does not refuse. */
function remove(path: string): void {
  unless([...noFile, ...noFolder], undefined, () => {
    withSystemError('lstat', path, () => lstatSync(path));
    withSystemError('unlink', path, () => unlinkSync(path));
  });
}

function writeAll(fd: number, text: Buffer): void {
  for (let rest = text; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
}

/** What `run` returns, or `otherwise` when it fails with one of the codes. */
function unless<T, A>(codes: readonly string[], otherwise: A, run: () => T): T | A {
  try {
    return run();
  } catch (error) {
    if (error instanceof SystemError && codes.includes(error.code)) return otherwise;
    throw error;
  }
}
