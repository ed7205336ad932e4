/** With what bars are drawn. */
export interface BarStyle {
  /** Eight shades of a cell that is filled from the left, the full one last. */
  readonly left: readonly string[];
  /** Cells that are filled from the right, half of it and an eighth: there are no others. */
  readonly right: readonly [string, string];
  /** What nobody has recorded. */
  readonly gap: string;
  /** What goes on, nobody knows how long. */
  readonly open: string;
  readonly ellipsis: string;
  readonly axis: string;
}

export const blocks: BarStyle = {
  ...{
    left: ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
    right: ['▐', '▕'],
    gap: '░',
    open: '▸',
    ellipsis: '…',
  },
  axis: '─',
};

export const ascii: BarStyle = {
  ...{
    left: ['|', '|', '=', '=', '=', '=', '=', '='],
    right: ['=', '|'],
    gap: '.',
    open: '>',
    ellipsis: '..',
  },
  axis: '-',
};

export type BarKind = 'span' | 'gap' | 'open';

/**
 * A part of a time as a bar in so many cells, as exact as an eighth of a cell. `from` and `to` are parts of the whole,
 * 0 to 1; what is shorter than it can be shown is still seen.
 */
export function timeBar(from: number, to: number, cells: number, kind: BarKind, style: BarStyle): string {
  const last = cells * 8;
  const start = Math.min(last - 1, Math.floor(clamped(from) * last));
  const end = Math.max(start + 1, Math.round(clamped(to) * last));
  const [first, beyond] = [Math.floor(start / 8), Math.ceil(end / 8)];
  if (kind === 'open') return filled(first, style.open, 1, cells);
  if (kind === 'gap') return filled(first, style.gap, beyond - first, cells);
  const bar = Array.from({ length: beyond - first }, (_, index) => {
    const cell = first + index;
    return shade(Math.max(0, start - cell * 8), Math.min(8, end - cell * 8), style);
  });
  return `${' '.repeat(first)}${bar.join('')}`.padEnd(cells);
}

function filled(first: number, character: string, count: number, cells: number): string {
  return `${' '.repeat(first)}${character.repeat(count)}`.padEnd(cells);
}

/** A cell that is filled from one eighth to another. */
function shade(from: number, to: number, { left, right }: BarStyle): string {
  if (to < 8 || from === 0) return left[to - from - 1] ?? '';
  return (from < 3 ? left[7] : from < 6 ? right[0] : right[1]) ?? '';
}

function clamped(part: number): number {
  return Number.isFinite(part) ? Math.min(1, Math.max(0, part)) : 0;
}
