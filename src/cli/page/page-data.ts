import type { SpanKind } from '../../trace/life-span.ts';

/** All that the script of a page draws, besides the records themselves. What people read is free of control characters. */
export interface PageData {
  readonly lives: readonly PageLife[];
  /** What failed and what was found, the newest operation first. */
  readonly notices: readonly Notice[];
  /** The span that is selected where the address names none. */
  readonly opensOn: string;
}

export interface PageLife {
  /** `eth0 of default/web` */
  readonly name: string;
  /** All that is known of it in a line. */
  readonly title: string;
  readonly operations: readonly PageOperation[];
}

export interface PageSpan {
  readonly id: string;
  readonly kind: SpanKind;
  readonly name: string;
  /** ms since the operation began. */
  readonly start: number;
  /** ms; absent where there is no end. */
  readonly duration?: number;
  /** What it failed with; `isFault` where it had no business to. */
  readonly error?: string;
  readonly isFault?: true;
  readonly isOpen?: true;
  readonly isCritical?: true;
  /** What was found to be wrong without being an error. */
  readonly findings?: readonly string[];
  /** What it changed, a sentence each; only where the record has it. */
  readonly changes?: readonly string[];
  /** Its record, as a line of `records`, counted from 0. */
  readonly record?: number;
  /** The place in the record of what is said of this plugin or hook. */
  readonly account?: readonly ['delegates' | 'hooks', number];
  readonly children?: readonly PageSpan[];
}

export interface PageOperation extends PageSpan {
  /** ms since 1970. */
  readonly begunAt: number;
  /** Minutes that the node's clock was ahead of UTC. */
  readonly offset: number;
  /** `2026-11-28 00:42:57.226 +00:00` */
  readonly startText: string;
  /** What came of it. */
  readonly ending: string;
  readonly isGood: boolean;
  /** What the reader should know about the numbers. */
  readonly notes: readonly string[];
  /** The time since the operation before it. */
  readonly pause?: string;
  readonly chain: readonly ChainNode[];
}

/** A plugin of the chain, in the order in which they ran. */
export interface ChainNode {
  /** Its span; a plugin that keeps no record has none. */
  readonly span?: string;
  readonly name: string;
  readonly state: 'good' | 'failed' | 'open' | 'unrecorded';
  readonly duration?: number;
  readonly error?: string;
  /** What it made of the result, and of the node. */
  readonly result: readonly ChangeLine[];
  readonly changes: readonly ChangeLine[];
  /** Plugins that ran inside of it. */
  readonly inside: readonly ChainNode[];
}

export interface ChangeLine {
  readonly sign: '+' | '-' | '~' | '';
  readonly text: string;
}

export interface Notice {
  readonly kind: 'error' | 'finding' | 'unended';
  readonly span: string;
  /** `ADD eth0 of default/web: debug` */
  readonly where: string;
  readonly text: string;
}
