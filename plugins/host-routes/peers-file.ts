import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import { type Json, parseJson } from '../../src/cni/json.ts';
import { withSystemError } from '../../src/kernel/system-error.ts';
import { type HostRoute, readHostRoutes } from '../../src/network/host-route.ts';

/** Ten thousand nodes with long names of interfaces have room in it. */
const limit = 4 * 1024 * 1024;

/**
 * The routes that a file lists, all or none of them. Throws code 7 for one that says something else, and SystemError for
 * one that cannot be read.
 */
export function readPeersFile(path: string): readonly HostRoute[] {
  const { routes, problems } = readHostRoutes(new ConfigurationValue(path, parse(path, readWhole(path))));
  if (problems.length === 0) return routes;
  throw new CniError(ErrorCode.invalidConfiguration, problems.map(({ message }) => message).join('; '));
}

function parse(path: string, text: string): Json {
  let list: Json;
  try {
    list = parseJson(text);
  } catch (error) {
    throw wrong(path, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  // To whoever reads a key, null is as good as absent; a file that says it is as good as none.
  if (!Array.isArray(list)) throw wrong(path, 'is no list of routes');
  return list;
}

function readWhole(path: string): string {
  const fd = withSystemError('open', path, () => openSync(path, OPEN_FLAGS));
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw wrong(path, 'is no regular file');
    if (stats.size > limit) throw wrong(path, `is longer than ${limit} bytes`);
    const chunks: Buffer[] = [];
    for (let length = 0; length <= limit; ) {
      const chunk = Buffer.allocUnsafe(65536);
      const count = withSystemError('read', path, () => readSync(fd, chunk));
      if (count === 0) return Buffer.concat(chunks).toString('utf8');
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    // It has grown since it was looked at.
    throw wrong(path, `is longer than ${limit} bytes`);
  } finally {
    closeSync(fd);
  }
}

function wrong(path: string, complaint: string): CniError {
  return new CniError(ErrorCode.invalidConfiguration, `${path} ${complaint}`);
}

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
/** Opening a named pipe would wait for a writer. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC;
