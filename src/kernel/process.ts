import { getrusage } from './libc.ts';
import { SystemError } from './system-error.ts';

/**
 * The peak memory in kB of the largest child that has ended and been waited for; 0 before the first. It never goes
 * down again: the peak of one child among several is known only when it is the largest.
 */
export function peakMemoryOfChildren(): number {
  const usage = Buffer.alloc(SIZEOF_RUSAGE);
  const answer = getrusage(RUSAGE_CHILDREN, usage);
  if (answer < 0) throw new SystemError('getrusage', -answer);
  return Number(usage.readBigInt64LE(RU_MAXRSS));
}

/** include/uapi/linux/resource.h: two struct timeval, then fourteen longs, ru_maxrss the first of them. */
const RUSAGE_CHILDREN = -1;
const SIZEOF_RUSAGE = 144;
const RU_MAXRSS = 32;
