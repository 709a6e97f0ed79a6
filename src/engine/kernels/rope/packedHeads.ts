/** Rows that hold queries, keys and values side by side: [rows, (heads + 2 keyValueHeads) headDim]. */
import type { Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { checkRotary } from "./rope.ts";

/** How the heads of a packed row are turned. */
export interface PackedHeads {
  /** Query heads. */
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  /** Values of a head that are turned, its first ones, as the halves (i, i + rotary / 2). */
  readonly rotary: number;
}

/** Throws unless packed rows, the table of rotations and the positions fit together; returns the number of rows. */
export function checkPacked(
  name: string,
  { heads, keyValueHeads, headDim, rotary }: PackedHeads,
  { qkv, table, positions }: { qkv: Shape; table: Shape; positions: Shape },
): number {
  checkRotary(headDim, rotary, table);
  const [rows, width] = qkv;
  if (rows === undefined || width !== (heads + 2 * keyValueHeads) * headDim) {
    throw new ShapeError(
      `${name} of ${heads} and ${keyValueHeads} heads of ${headDim} got rows of ${width ?? "no"} values`,
    );
  }
  if (positions[0] !== rows) throw new ShapeError(`${name} of ${rows} rows got ${positions[0]} positions`);
  return rows;
}
