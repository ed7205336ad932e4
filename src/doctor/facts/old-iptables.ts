import { readFileSync } from 'node:fs';
import { SystemError, withSystemError } from '../../kernel/system-error.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';

/** This namespace's tables of the iptables that nftables knows nothing of. /proc/net would be the main thread's. */
const tables = '/proc/thread-self/net';

/** Whether the older iptables has a `nat` table here, whose rules are not to be seen by us. */
export function hasOldNat(survey: Survey): boolean {
  return survey.once('old iptables', tables, () =>
    ['ip_tables_names', 'ip6_tables_names'].some((name) => see(`${tables}/${name}`, () => namesNat(name))),
  );
}

function namesNat(name: string): boolean {
  const path = `${tables}/${name}`;
  try {
    return withSystemError('open', path, () => readFileSync(path, 'utf8'))
      .split('\n')
      .includes('nat');
  } catch (error) {
    // The kernel has no such iptables, or has not loaded it.
    if (error instanceof SystemError && error.code === 'ENOENT') return false;
    throw error;
  }
}
