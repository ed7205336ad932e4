import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { Invocation } from '../../src/cni/plugin.ts';
import type { Problem } from '../../src/cni/problem.ts';
import { type NetlinkSocket, openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import { type HostRoute, mostProblems } from '../../src/network/host-route.ts';
import { StateFolder } from '../../src/network/state-folder.ts';
import type { Surroundings } from '../built-in.ts';
import type { Settings } from './configuration.ts';
import { readPeersFile } from './peers-file.ts';

/** One call of the host-routes plugin: what it was asked for, and what it does that with. */
export interface Call {
  readonly network: string;
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  /** In the node's namespace. */
  readonly host: NetlinkSocket;
  readonly folder: StateFolder;
}

/** Runs it, and closes what it was opened with. */
export async function withCall<T>(
  { configuration }: Invocation,
  settings: Settings,
  surroundings: Surroundings,
  operate: (call: Call) => T | Promise<T>,
): Promise<T> {
  const host = openRouteSocket(undefined, surroundings.step);
  const folder = new StateFolder(settings.dataDir, surroundings.warn);
  try {
    return await operate({ network: configuration.name, settings, surroundings, host, folder });
  } finally {
    host.close();
  }
}

/** The routes that are asked for; what is wrong with the file that says them is an error here. Throws code 7. */
export function wantedRoutes({ settings }: Call): readonly HostRoute[] {
  const { routes = [], peersFile } = settings;
  if (peersFile === undefined) return routes;
  try {
    return readPeersFile(peersFile);
  } catch (error) {
    const { message } = CniError.from(error);
    throw new CniError(ErrorCode.invalidConfiguration, `peersFile: ${message}`, { cause: error });
  }
}

/** Throws an error with all of them, if there are any; of very many, with the first and how many more there are. */
export function refuse(problems: readonly Problem[], code: number): void {
  if (problems.length === 0) return;
  const said = problems.slice(0, mostProblems).map(({ message }) => message);
  const more = problems.length - said.length;
  if (more > 0) said.push(`and ${more} more`);
  throw new CniError(code, said.join('; '));
}
