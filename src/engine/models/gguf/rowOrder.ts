/** The order of the rows of queries and keys: halves of a head apart (Hugging Face), or interleaved (GGUF's llama). */

/** Rows of a matrix in groups of heads, each row of the same number of bytes. */
export interface HeadRows {
  readonly heads: number;
  readonly headDim: number;
}

/** Row j·half + i of each head goes to row 2i + j: whole rows move, however they are stored. */
export function interleaveRows<Rows extends Uint8Array | Float32Array>(rows: Rows, heads: HeadRows): Rows {
  return moveRows(rows, heads, (separate, interleaved) => [interleaved, separate]);
}

/** The inverse of `interleaveRows`. */
export function separateRows<Rows extends Uint8Array | Float32Array>(rows: Rows, heads: HeadRows): Rows {
  return moveRows(rows, heads, (separate, interleaved) => [separate, interleaved]);
}

function moveRows<Rows extends Uint8Array | Float32Array>(
  rows: Rows,
  { heads, headDim }: HeadRows,
  order: (separate: number, interleaved: number) => [to: number, from: number],
): Rows {
  const width = rows.length / (heads * headDim);
  const moved = rows.slice() as Rows;
  const half = headDim / 2;
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < headDim; row++) {
      const [j, i] = [Math.floor(row / half), row % half];
      const [to, from] = order(row, 2 * i + j).map((each) => (head * headDim + each) * width);
      moved.set(rows.subarray(from, from! + width), to);
    }
  }
  return moved;
}
