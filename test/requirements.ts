import { accessSync, constants } from 'node:fs';

import { referencePath } from './program.ts';

type Requirement =
  | 'root'
  | 'ip'
  | 'ping'
  | 'nft'
  | 'iptables'
  | 'conntrack'
  | 'strace'
  | 'containerd'
  | 'runc'
  | 'ctr'
  | 'busybox'
  | 'script'
  | 'tar'
  | 'chromium'
  | 'reference-plugins';

/**
 * Whether a group of tests can run here; for `describe.if(requires('root', 'ip'))`. What is missing is said in a
 * line of its own, and is a failure under CI=true.
 */
export function requires(...requirements: Requirement[]): boolean {
  const missing = requirements.filter((requirement) => !isMet(requirement));
  if (missing.length === 0) return true;
  const message = `skipped: needs ${missing.join(', ')}`;
  if (process.env.CI === 'true') throw new Error(`${message}, and CI=true allows no skip`);
  process.stderr.write(`${message} (${new Error().stack?.match(/[\w.-]+\.test\.ts/)?.[0] ?? 'a test'})\n`);
  return false;
}

function isMet(requirement: Requirement): boolean {
  if (requirement === 'root') return process.getuid?.() === 0;
  if (requirement === 'reference-plugins')
    return referencePath.some((path) => isExecutable(`${path}/bridge`));
  const path = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/sbin');
  return path.some((folder) => isExecutable(`${folder}/${requirement}`));
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
