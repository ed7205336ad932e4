/** Something that was done to a path, or would be. */
export interface Deed {
  readonly path: string;
  readonly action:
    | 'made'
    | 'kept'
    | 'copied'
    | 'linked'
    | 'edited'
    | 'unchanged'
    | 'restored'
    | 'removed'
    | 'left';
  /** For `kept`: the name it has now, in the same folder. */
  readonly as?: string | undefined;
  /** For `linked`. */
  readonly target?: string | undefined;
  /** For a person: what was done to it, or why it was not. */
  readonly note?: string | undefined;
}

/** What became of a conflist. */
export interface ConflistDeed {
  readonly path: string;
  /** The path of the original, where there is one. */
  readonly backup: string | undefined;
  /** A unified difference of what was there and what is there now. */
  readonly difference: readonly string[];
}

export interface Report {
  readonly files: readonly Deed[];
  readonly conflists: readonly ConflistDeed[];
  /** What was done all the same, and may not work. */
  readonly warnings: readonly string[];
  /** For uninstall: nothing of ours stays, nor anything that was kept. */
  readonly isAllGone?: boolean;
}
