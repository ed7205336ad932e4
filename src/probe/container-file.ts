import { readRegularFile } from '../kernel/regular-file.ts';
import { fileInRoot } from './file-in-root.ts';
import type { ProbeRun } from './probe-run.ts';

/** A file as a process of the container sees it. */
export interface ContainerFile {
  /** `/etc/hosts of process 1234` */
  readonly source: string;
  /** Absent when there is no such file. */
  readonly text?: string;
}

/** Undefined when no process is in the container. Throws SystemError, and Error for what is no file or too long. */
export function containerFile({ pidInside }: ProbeRun, path: string): ContainerFile | undefined {
  if (pidInside === undefined) return undefined;
  const source = `${path} of process ${pidInside}`;
  try {
    return { source, text: readRegularFile(fileInRoot(`/proc/${pidInside}/root`, path), LONGEST) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { source };
    throw error;
  }
}

const LONGEST = 65_536;
