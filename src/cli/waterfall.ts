import type { Life, Operation } from '../trace/life.ts';
import { endOf, type LifeSpan } from '../trace/life-span.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { visible } from '../trace/visible-text.ts';
import { wrapped } from '../trace/wrapped-text.ts';
import { cell, columnsOf } from './cell.ts';
import { durationText } from './duration-text.ts';
import { endingOf, headOf, notesOf, pauseBetween, titleOf } from './operation-head.ts';
import type { Paint, Style } from './terminal.ts';
import { type BarStyle, timeBar } from './time-bar.ts';
import { type Row, rowsOf } from './waterfall-rows.ts';

/** How a waterfall is drawn. */
export interface Drawing {
  /** Columns of the terminal. */
  readonly width: number;
  readonly style: BarStyle;
  readonly paint: Paint;
  /** Every step, however many there are. */
  readonly all: boolean;
  /** Of a call whose record has no end. */
  readonly isRunning: (record: StoredRecord) => boolean;
}

/** Before a name: whether it is critical, whether it failed, a space. */
const marksWidth = 3;
const durationWidth = 9;
const mostForNames = 0.57;

/** Operations of one attachment one below the other, each with a time axis of its own. */
export function waterfall(life: Life, operations: readonly Operation[], drawing: Drawing): string {
  const { paint, width } = drawing;
  const rows = operations.map((operation) => rowsOf(operation, drawing.all));
  const nameWidth = nameWidthFor(rows.flat(), width);
  const lines = [paint('bold', wrapped(titleOf(life), width, 2))];
  for (const [index, operation] of operations.entries()) {
    const before = operations[index - 1];
    if (before !== undefined) lines.push('', paint('dim', `-- ${pauseBetween(before, operation)} --`));
    lines.push('', ...headLines(operation, nameWidth, drawing));
    for (const row of rows[index] ?? []) lines.push(...rowLines(row, operation, nameWidth, drawing));
  }
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** As much as the names need, and not much more than half of the line: the beginnings of many are alike. */
function nameWidthFor(rows: readonly Row[], width: number): number {
  const widest = Math.max(0, ...rows.map(({ span, depth }) => depth * 2 + columnsOf(nameOf(span))));
  return Math.max(10, Math.min(widest, Math.floor((width - durationWidth) * mostForNames) - marksWidth));
}

function barWidthFor(nameWidth: number, width: number): number {
  return Math.max(8, width - marksWidth - nameWidth - 2 - durationWidth);
}

function headLines(operation: Operation, nameWidth: number, drawing: Drawing): string[] {
  const { paint, style, width, isRunning } = drawing;
  const { text, isGood } = endingOf(operation, isRunning);
  const notes = notesOf(operation).map((note) => paint('dim', wrapped(note, width, 2)));
  const axisWidth = barWidthFor(nameWidth, width);
  const [from, to] = ['0 ', ` ${durationText(operation.duration)}`];
  const rule = style.axis.repeat(Math.max(0, axisWidth - from.length - to.length));
  const axis = `${' '.repeat(marksWidth + nameWidth + 1)}${from}${rule}${to}`;
  return [
    wrapped(`${paint('bold', headOf(operation))}${paint(isGood ? 'green' : 'red', text)}`, width, 2),
    ...notes,
    ...(operation.duration > 0 ? [paint('dim', axis)] : []),
  ];
}

function rowLines(row: Row, operation: Operation, nameWidth: number, drawing: Drawing): string[] {
  const { paint, style, width } = drawing;
  const { span, depth, reason, findings } = row;
  const { start, duration, kind, isOpen, isTolerated, isCritical, error } = span;
  const hasFailed = error !== undefined && !isTolerated;
  const marks = [
    isCritical ? paint('yellow', '*') : ' ',
    hasFailed ? paint('red', '!') : isTolerated ? '~' : isOpen ? '>' : ' ',
  ];
  const name = cell(`${' '.repeat(depth * 2)}${nameOf(span)}`, nameWidth, style.ellipsis);
  const part = (time: number) => (time - operation.start) / (operation.duration || 1);
  const barKind = isOpen ? 'open' : kind === 'gap' ? 'gap' : 'span';
  const bar = timeBar(part(start), part(endOf(span)), barWidthFor(nameWidth, width), barKind, style);
  const took = isOpen ? '?' : durationText(duration);
  const styleOf = (text: string, of: Style | undefined) => (of === undefined ? text : paint(of, text));
  const line = [
    `${marks.join('')} ${styleOf(name, nameStyle(span))}`,
    styleOf(bar, hasFailed ? 'red' : barStyles[kind]),
    took.padStart(durationWidth),
  ].join(' ');
  const indent = ' '.repeat(marksWidth + depth * 2 + 2);
  const below = (text: string, of: Style) =>
    wrapped(visible(text), Math.max(20, width - indent.length), 2)
      .split('\n')
      .map((piece) => `${indent}${paint(of, piece)}`);
  return [
    line,
    ...(reason === undefined ? [] : below(reason, 'red')),
    ...findings.flatMap((finding) => below(`finding: ${finding}`, 'yellow')),
  ];
}

/** A call says its record, which `cni-debug logs` and the journal know. */
function nameOf({ kind, name, id }: LifeSpan): string {
  return visible(kind === 'call' ? `${name} ${id}` : name);
}

function nameStyle({ kind, error, isTolerated }: LifeSpan): Style | undefined {
  if (error !== undefined && !isTolerated) return 'red';
  if (isTolerated || kind === 'gap') return 'dim';
  return kind === 'call' ? 'bold' : undefined;
}

const barStyles: Readonly<Partial<Record<LifeSpan['kind'], Style>>> = {
  ...{ call: 'cyan', plugin: 'cyan', hook: 'green', exec: 'green', wait: 'yellow', gap: 'dim' },
};
