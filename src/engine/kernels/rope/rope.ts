import { ShapeError, type Op, type Shape } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { ropeCpu } from "./rope.cpu.ts";
import { ropeGroup, ropeText } from "./rope.wgsl.ts";

/** What specialises a rotation; direction -1 undoes direction 1. */
export interface RopeAttributes {
  readonly heads: number;
  readonly headDim: number;
  /** Values of a head that are turned, its first ones; the others stay as they are. */
  readonly rotary: number;
  /** Planes are the neighbours (2i, 2i + 1) instead of the halves (i, i + rotary / 2), which Hugging Face uses. */
  readonly isInterleaved: boolean;
  readonly direction: 1 | -1;
}

/** Throws unless `rotary` values in pairs fit into heads of even width, and the table holds angles of that many planes. */
export function checkRotary(headDim: number, rotary: number, table: Shape): void {
  if (headDim % 2 !== 0) throw new ShapeError(`rope needs an even head width, got ${headDim}`);
  if (rotary % 2 !== 0 || rotary < 2 || rotary > headDim)
    throw new ShapeError(`rope cannot turn ${rotary} values of heads of ${headDim} in pairs`);
  if (table[1] !== rotary / 2 || table[2] !== 2)
    throw new ShapeError(`rope of ${rotary} values of a head got a table of [${table.join(", ")}]`);
}

/** Rotary position embedding of x [rows, heads * headDim]. */
export const ropeOp: Op<RopeAttributes> = {
  name: "rope",
  inputs: () => [
    { name: "x", type: "f32" }, // [rows, heads * headDim]
    { name: "table", type: "f32" }, // [maxPositions, rotary / 2, 2]
    { name: "positions", type: "i32" }, // [rows]
  ],
  outputs: () => [{ name: "y", type: "f32" }],
  uniforms: { rows: "u32", direction: "f32" },
  outputShapes: ([x, table, positions], { heads, headDim, rotary }) => {
    checkRotary(headDim, rotary, table!);
    if (x![1] !== heads * headDim)
      throw new ShapeError(`rope of ${heads} heads of ${headDim} got rows of ${x![1]}`);
    if (positions![0] !== x![0]) throw new ShapeError(`rope of ${x![0]} rows got ${positions![0]} positions`);
    return [x!];
  },
  dispatch: ([x], attributes) => ({
    wgsl: ropeText(attributes),
    uniforms: { rows: x![0]!, direction: attributes.direction },
    workgroups: foldedGrid(Math.ceil((x![0]! * x![1]!) / 2 / ropeGroup)),
  }),
  cpu: ropeCpu,
  gradient: ([dy], [, table, positions], _outputs, attributes) => ({
    x: () =>
      run(ropeOp, [dy!, table!, positions!], {
        ...attributes,
        direction: attributes.direction === 1 ? -1 : 1,
      })[0]!,
  }),
};

/**
 * Rotates the heads of `x` [rows, heads * headDim] to their `positions` [rows] with a table of `ropeTable`; all of a head
 * in the order of halves unless `rotary` and `isInterleaved` say otherwise.
 */
export function rope(
  x: Tensor,
  turns: { readonly table: Tensor; readonly positions: Tensor },
  heads: Pick<RopeAttributes, "heads" | "headDim"> &
    Partial<Pick<RopeAttributes, "rotary" | "isInterleaved">>,
): Tensor {
  const { headDim, rotary = headDim, isInterleaved = false } = heads;
  const attributes = { heads: heads.heads, headDim, rotary, isInterleaved, direction: 1 } as const;
  return run(ropeOp, [x, turns.table, turns.positions], attributes)[0]!;
}
