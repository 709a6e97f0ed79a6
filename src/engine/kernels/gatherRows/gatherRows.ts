import { ShapeError, type ElementType, type Op, type Shape } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { gatherRowsCpu, sumEntriesCpu } from "./gatherRows.cpu.ts";
import { gatherRowsGroup, gatherRowsText, sumEntriesText } from "./gatherRows.wgsl.ts";

/** Whether rows are moved four numbers at a time; their width must then be a multiple of 4. */
export interface GatherRowsAttributes {
  readonly isVectorised: boolean;
}

/** Picks rows; a negative index gives a row of zeros. Only the gradient reads `inverse`. */
export const gatherRowsOp: Op<GatherRowsAttributes> = {
  name: "gatherRows",
  inputs: (attributes) => [
    { name: "x", type: elementOf(attributes) }, // [rows, width]
    { name: "indices", type: "i32" }, // [count]
    { name: "inverse", type: "i32" }, // [rows, 2]
  ],
  outputs: (attributes) => [{ name: "y", type: elementOf(attributes) }],
  uniforms: { count: "u32" },
  outputShapes: ([x, indices, inverse], attributes) => {
    const [rows, width] = x!;
    checkInverse(inverse, rows!);
    checkWidth(width!, attributes);
    return [[indices![0]!, width!]];
  },
  dispatch: ([x, indices], attributes) => ({
    wgsl: gatherRowsText(x![1]!, attributes.isVectorised),
    uniforms: { count: indices![0]! },
    workgroups: elementGroups(indices![0]! * x![1]!, attributes),
  }),
  cpu: gatherRowsCpu,
  gradient: ([dy], [, , inverse], _outputs, attributes) => ({
    x: () => run(sumEntriesOp, [dy!, inverse!], attributes)[0]!,
  }),
};

/** The gradient of the gather: every row gets the sum of its at most two entries, and zeros when it has none. */
export const sumEntriesOp: Op<GatherRowsAttributes> = {
  name: "sumEntries",
  inputs: (attributes) => [
    { name: "dy", type: elementOf(attributes) }, // [count, width]
    { name: "inverse", type: "i32" }, // [rows, 2]
  ],
  outputs: (attributes) => [{ name: "dx", type: elementOf(attributes) }], // [rows, width]
  uniforms: { rows: "u32" },
  outputShapes: ([dy, inverse], attributes) => {
    const rows = inverse![0]!;
    checkInverse(inverse, rows);
    checkWidth(dy![1]!, attributes);
    return [[rows, dy![1]!]];
  },
  dispatch: ([dy, inverse], attributes) => ({
    wgsl: sumEntriesText(dy![1]!, attributes.isVectorised),
    uniforms: { rows: inverse![0]! },
    workgroups: elementGroups(inverse![0]! * dy![1]!, attributes),
  }),
  cpu: sumEntriesCpu,
};

function elementOf(attributes: GatherRowsAttributes): ElementType {
  return attributes.isVectorised ? "vec4<f32>" : "f32";
}

function elementGroups(numbers: number, { isVectorised }: GatherRowsAttributes): [number, number, number] {
  return foldedGrid(Math.ceil(numbers / (isVectorised ? 4 : 1) / gatherRowsGroup));
}

function checkInverse(inverse: Shape | undefined, rows: number): void {
  if (inverse?.length !== 2 || inverse[0] !== rows || inverse[1] !== 2)
    throw new ShapeError(
      `gatherRows of ${rows} rows got inverses [${inverse?.join(", ")}], not [${rows}, 2]`,
    );
}

function checkWidth(width: number, { isVectorised }: GatherRowsAttributes): void {
  if (isVectorised && width % 4 !== 0)
    throw new ShapeError(`gatherRows by fours got rows of ${width} numbers`);
}

/**
 * Rows `indices` [count] of `x` [rows, width] as [count, width]. A row may be named twice: `inverse` [rows, 2] holds the
 * places of each row in `indices`, and -1 where there is none.
 */
export function gatherRows(x: Tensor, picks: { readonly indices: Tensor; readonly inverse: Tensor }): Tensor {
  return run(gatherRowsOp, [x, picks.indices, picks.inverse], { isVectorised: x.shape[1]! % 4 === 0 })[0]!;
}

/** Entries `dy` [count, width] summed by the rows they were gathered from: → [rows, width], zero where a row has none. */
export function sumEntries(dy: Tensor, inverse: Tensor): Tensor {
  return run(sumEntriesOp, [dy, inverse], { isVectorised: dy.shape[1]! % 4 === 0 })[0]!;
}
