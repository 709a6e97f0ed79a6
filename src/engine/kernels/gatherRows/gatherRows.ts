import { ShapeError, type ElementType, type Op } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { gatherRowsCpu } from "./gatherRows.cpu.ts";
import { gatherRowsGroup, gatherRowsText } from "./gatherRows.wgsl.ts";

/** Whether rows are moved four numbers at a time; their width must then be a multiple of 4. */
export interface GatherRowsAttributes {
  readonly isVectorised: boolean;
}

/**
 * Picks rows. Every row is picked at most once, so the scatter of the gradient is the same operation with `indices`
 * and `inverse` exchanged: rows that nobody picked have inverse -1 and get zeros.
 */
export const gatherRowsOp: Op<GatherRowsAttributes> = {
  name: "gatherRows",
  inputs: (attributes) => [
    { name: "x", type: elementOf(attributes) }, // [rows, width]
    { name: "indices", type: "i32" }, // [count]
    { name: "inverse", type: "i32" }, // [rows]
  ],
  outputs: (attributes) => [{ name: "y", type: elementOf(attributes) }],
  uniforms: { count: "u32" },
  outputShapes: ([x, indices, inverse], { isVectorised }) => {
    const [rows, width] = x!;
    if (inverse![0] !== rows) throw new ShapeError(`gatherRows of ${rows} rows got ${inverse![0]} inverses`);
    if (isVectorised && width! % 4 !== 0)
      throw new ShapeError(`gatherRows by fours got rows of ${width} numbers`);
    return [[indices![0]!, width!]];
  },
  dispatch: ([x, indices], { isVectorised }) => ({
    wgsl: gatherRowsText(x![1]!, isVectorised),
    uniforms: { count: indices![0]! },
    workgroups: foldedGrid(Math.ceil((indices![0]! * x![1]!) / (isVectorised ? 4 : 1) / gatherRowsGroup)),
  }),
  cpu: gatherRowsCpu,
  gradient: ([dy], [, indices, inverse], _outputs, attributes) => ({
    x: () => run(gatherRowsOp, [dy!, inverse!, indices!], attributes)[0]!,
  }),
};

function elementOf(attributes: GatherRowsAttributes): ElementType {
  return attributes.isVectorised ? "vec4<f32>" : "f32";
}

/**
 * Rows `indices` [count] of `x` [rows, width] as [count, width]. No row may be named twice; `inverse` [rows] holds the
 * place of each row in `indices`, or -1 for a row that is not picked.
 */
export function gatherRows(x: Tensor, picks: { readonly indices: Tensor; readonly inverse: Tensor }): Tensor {
  return run(gatherRowsOp, [x, picks.indices, picks.inverse], { isVectorised: x.shape[1]! % 4 === 0 })[0]!;
}
