import { ShapeError, type Op } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { appendRowsCpu } from "./appendRows.cpu.ts";
import { appendRowsGroup, appendRowsText } from "./appendRows.wgsl.ts";

/** Writes rows into a key-value cache in place; has no output and no gradient. */
export const appendRowsOp: Op = {
  name: "appendRows",
  inputs: () => [
    { name: "cache", type: "f32", isMutable: true }, // [capacity, width]
    { name: "rows", type: "f32" }, // [count, width]
    { name: "slots", type: "i32" }, // [count]
  ],
  outputs: () => [],
  uniforms: { count: "u32" },
  outputShapes: ([cache, rows, slots]) => {
    if (cache![1] !== rows![1])
      throw new ShapeError(`appendRows into rows of ${cache![1]} got rows of ${rows![1]}`);
    if (slots![0] !== rows![0]) throw new ShapeError(`appendRows of ${rows![0]} rows got ${slots![0]} slots`);
    return [];
  },
  dispatch: ([, rows]) => ({
    wgsl: appendRowsText(rows![1]!),
    uniforms: { count: rows![0]! },
    workgroups: foldedGrid(Math.ceil((rows![0]! * rows![1]!) / appendRowsGroup)),
  }),
  cpu: appendRowsCpu,
};

/**
 * Writes `rows` [count, width] into the rows `slots` [count] of `cache` [capacity, width] in place; slot -1 is skipped
 * and no slot may be named twice.
 */
export function appendRows(cache: Tensor, rows: Tensor, slots: Tensor): void {
  run(appendRowsOp, [cache, rows, slots], {});
}
