/** Where the journal is, and how much of it is kept: `maxFiles` files of at most `maxSize` bytes. */
export interface Journal {
  readonly path: string;
  readonly maxSize: number;
  readonly maxFiles: number;
}

/** Unless a configuration says otherwise. */
export const defaultJournal: Journal = {
  path: '/var/log/cni-debug/journal.ndjson',
  maxSize: 16 * 1024 ** 2,
  maxFiles: 4,
};
