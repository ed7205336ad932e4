import { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import { type Json, parseJson } from '../../src/cni/json.ts';
import { readRegularFile } from '../../src/kernel/regular-file.ts';
import { type HostRoute, readHostRoutes } from '../../src/network/host-route.ts';

/** Ten thousand nodes with long names of interfaces have room in it. */
const limit = 4 * 1024 * 1024;

/**
 * The routes that a file lists, all or none of them. Throws code 7 for one that says something else, and SystemError for
 * one that cannot be read.
 */
export function readPeersFile(path: string): readonly HostRoute[] {
  const { routes, problems } = readHostRoutes(
    new ConfigurationValue(path, parse(path, readRegularFile(path, limit))),
  );
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

function wrong(path: string, complaint: string): CniError {
  return new CniError(ErrorCode.invalidConfiguration, `${path} ${complaint}`);
}
