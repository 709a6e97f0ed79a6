/** Which rows see which, for sequences that lie one after another in one row array. */
export interface CausalRanges {
  /** [rows, 2]: first and one past the last key row that a row sees. */
  readonly keyRanges: Int32Array<ArrayBuffer>;
  /** [rows, 2]: first and one past the last query row that sees a row. */
  readonly queryRanges: Int32Array<ArrayBuffer>;
  /** [rows]: place of a row in its sequence. */
  readonly positions: Int32Array<ArrayBuffer>;
}

/** Ranges and positions of sequences of the given lengths: a row sees its own sequence up to itself. */
export function causalRanges(lengths: readonly number[]): CausalRanges {
  const rows = lengths.reduce((sum, length) => sum + length, 0);
  const keyRanges = new Int32Array(rows * 2);
  const queryRanges = new Int32Array(rows * 2);
  const positions = new Int32Array(rows);
  let start = 0;
  for (const length of lengths) {
    for (let row = start; row < start + length; row++) {
      keyRanges.set([start, row + 1], row * 2);
      queryRanges.set([row, start + length], row * 2);
      positions[row] = row - start;
    }
    start += length;
  }
  return { keyRanges, queryRanges, positions };
}
