import { ShapeError, type Op } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { jumpReluCpu } from "./jumpRelu.cpu.ts";
import { jumpReluWgsl, jumpReluWorkgroup } from "./jumpRelu.wgsl.ts";

/**
 * values[t, j] = 0 unless values[t, j] > max(threshold[j], 0). values [rows, width], threshold [width] -> nothing; values
 * are changed in place. Source: arXiv 2407.14435, equation 5.
 */
export const jumpReluOp: Op = {
  name: "jumpRelu",
  inputs: () => [
    { name: "values", type: "f32", isMutable: true },
    { name: "threshold", type: "f32" },
  ],
  outputs: () => [],
  uniforms: { size: "u32", width: "u32" },
  outputShapes: ([values = [], threshold = []]) => {
    if (values.length !== 2 || threshold.join() !== `${values[1]}`)
      throw new ShapeError(
        `jumpRelu: thresholds [${threshold.join(", ")}] do not fit the columns of [${values.join(", ")}]`,
      );
    return [];
  },
  dispatch: ([values]) => {
    const [rows = 0, width = 0] = values ?? [];
    const size = rows * width;
    return {
      wgsl: jumpReluWgsl,
      uniforms: { size, width },
      workgroups: foldedGrid(Math.ceil(size / jumpReluWorkgroup)),
    };
  },
  cpu: jumpReluCpu,
};

/** Leaves the values [rows, width] that are above 0 and their column's threshold [width], in place. */
export function jumpRelu(values: Tensor, threshold: Tensor): void {
  run(jumpReluOp, [values, threshold], {});
}
