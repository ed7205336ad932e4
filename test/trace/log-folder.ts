import { afterEach, beforeEach } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';

/** The folder of the test that runs, and where its log is. */
export let folder: string;
export let log: string;

/** Gives each test of a file a folder of its own. */
export function useLogFolder(): void {
  beforeEach(() => {
    folder = mkdtempSync('/tmp/log-file-test-');
    log = `${folder}/log`;
  });
  afterEach(() => rmSync(folder, { recursive: true }));
}

export const contents = (path: string): string => readFileSync(path, 'utf8');
export const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

/** What `append-records.ts` is told. */
export interface Options {
  path: string;
  writer?: number;
  count?: number;
  length?: number;
  check?: boolean;
  maxSize?: number;
  maxFiles?: number;
}

export const fixture = `${import.meta.dir}/../fixtures/append-records.ts`;
