import { parseIp } from '../cni/address.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { encodeName } from './dns-name.ts';

/** Where to connect to by TCP. */
export type Target = Endpoint | NamedTarget;

/** It is looked up as a process of the container would. */
export interface NamedTarget {
  readonly name: string;
  readonly port: number;
}

export const isNamed = (target: Target): target is NamedTarget => 'name' in target;

/** `10.96.0.1:443`, `[fd00::1]:443`, `example.org:443`; undefined for anything else. */
export function parseTarget(text: string): Target | undefined {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  const ip = parseIp(bracketed ?? plain);
  if (ip !== undefined) return { ip, port };
  return isHostName(plain) ? { name: plain, port } : undefined;
}

/** No top level domain is a number: that is an address which is none. */
function isHostName(text: string): boolean {
  return /^[\w-]+(\.[\w-]+)*\.?$/.test(text) && !/(^|\.)\d+\.?$/.test(text) && encodeName(text) !== undefined;
}
