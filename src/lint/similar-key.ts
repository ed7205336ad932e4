import { foldKey } from '../cni/keys.ts';

/** The known key that was probably meant: a slip or two away, fewer in short ones. */
export function similarKey(key: string, known: readonly string[]): string | undefined {
  const meant = foldKey(key).replace(/[-_]/g, '');
  const ranked = known
    .map((name) => ({ name, distance: distance(meant, foldKey(name)) }))
    .filter(({ name, distance }) => distance <= Math.min(2, Math.floor(name.length / 3)))
    .sort((one, other) => one.distance - other.distance);
  return ranked[0]?.name;
}

/** How many characters must be put in, taken away, replaced or swapped with their neighbour. */
function distance(one: string, other: string): number {
  // Nobody means a key that is so much longer.
  if (Math.abs(one.length - other.length) > 2) return Number.POSITIVE_INFINITY;
  let [before, last]: [number[], number[]] = [
    [],
    Array.from({ length: other.length + 1 }, (_, index) => index),
  ];
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next[column] = Math.min(
        at(last, column) + 1,
        at(next, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, next];
  }
  return at(last, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
