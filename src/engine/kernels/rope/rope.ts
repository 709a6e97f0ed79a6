import { ShapeError, type Op } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { ropeCpu } from "./rope.cpu.ts";
import { ropeGroup, ropeText } from "./rope.wgsl.ts";

/** What specialises a rotation; direction -1 undoes direction 1. */
export interface RopeAttributes {
  readonly heads: number;
  readonly headDim: number;
  readonly direction: 1 | -1;
}

/** Rotary position embedding in the rotate-half order of Hugging Face: planes are the pairs (i, i + headDim / 2). */
export const ropeOp: Op<RopeAttributes> = {
  name: "rope",
  inputs: () => [
    { name: "x", type: "f32" }, // [rows, heads * headDim]
    { name: "table", type: "f32" }, // [maxPositions, headDim / 2, 2]
    { name: "positions", type: "i32" }, // [rows]
  ],
  outputs: () => [{ name: "y", type: "f32" }],
  uniforms: { rows: "u32", direction: "f32" },
  outputShapes: ([x, table, positions], { heads, headDim }) => {
    if (headDim % 2 !== 0) throw new ShapeError(`rope needs an even head width, got ${headDim}`);
    if (x![1] !== heads * headDim)
      throw new ShapeError(`rope of ${heads} heads of ${headDim} got rows of ${x![1]}`);
    if (table![1] !== headDim / 2 || table![2] !== 2)
      throw new ShapeError(`rope of heads of ${headDim} got a table of [${table!.join(", ")}]`);
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

/** Rotates the heads of `x` [rows, heads * headDim] to their `positions` [rows] with a table of `ropeTable`. */
export function rope(
  x: Tensor,
  turns: { readonly table: Tensor; readonly positions: Tensor },
  heads: { readonly heads: number; readonly headDim: number },
): Tensor {
  return run(ropeOp, [x, turns.table, turns.positions], {
    heads: heads.heads,
    headDim: heads.headDim,
    direction: 1,
  })[0]!;
}
