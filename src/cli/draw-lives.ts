import type { Operation } from '../trace/life.ts';
import { allSpans } from '../trace/life-span.ts';
import { isRunning } from '../trace/living-process.ts';
import { noteWhatIsNotShown, type ShownLife } from './shown-life.ts';
import { paintFor, say } from './terminal.ts';
import { ascii, blocks } from './time-bar.ts';
import { waterfall } from './waterfall.ts';

export interface DrawOptions {
  readonly all?: true;
  readonly width?: number;
}

/** A waterfall for each attachment on stdout, and below them what their marks mean. */
export function drawLives(lives: readonly ShownLife[], options: DrawOptions): void {
  const paint = paintFor();
  const drawing = {
    ...{ width: widthOf(options), style: drawsBlocks() ? blocks : ascii, paint, isRunning },
    all: options.all === true,
  };
  const pictures = lives.map(({ life, operations }) => waterfall(life, operations, drawing));
  const legend = legendOf(lives.flatMap(({ operations }) => operations));
  say([...pictures, ...(legend === '' ? [] : [`${paint('dim', legend)}\n`])].join('\n'));
  noteWhatIsNotShown(lives);
}

/** What the marks mean that were made. */
function legendOf(operations: readonly Operation[]): string {
  const spans = operations.flatMap(({ children }) => children.flatMap((child) => [...allSpans(child)]));
  const marks: [string, (typeof spans)[number] | undefined][] = [
    ['* on the critical path, and a tenth of the time or more', spans.find(({ isCritical }) => isCritical)],
    ['! failed', spans.find(({ error, isTolerated }) => error !== undefined && !isTolerated)],
    ['~ failed, which was no fault', spans.find(({ isTolerated }) => isTolerated)],
    ['> has no end in the records', spans.find(({ isOpen }) => isOpen)],
  ];
  return marks.flatMap(([text, span]) => (span === undefined ? [] : [text])).join('   ');
}

function widthOf({ width }: DrawOptions): number {
  const known = process.stdout.isTTY ? process.stdout.columns : Number(process.env.COLUMNS);
  return Math.max(narrowest, width ?? (known > 0 ? known : 80));
}

/** Less leaves nothing of the names. */
const narrowest = 40;

/** As the C library finds out whether the terminal takes UTF-8. */
function drawsBlocks(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}
