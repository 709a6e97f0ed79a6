import type { Op } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { maskedCpu } from "./masked.cpu.ts";
import { maskedWgsl, maskedWorkgroup } from "./masked.wgsl.ts";

/** kept = values where mask > 0, else 0, all of one shape; the way back of a cut whose positive results are the mask. */
export const maskedOp: Op = {
  name: "masked",
  inputs: () => [
    { name: "values", type: "f32" },
    { name: "mask", type: "f32" },
  ],
  outputs: () => [{ name: "kept", type: "f32" }],
  uniforms: { size: "u32" },
  outputShapes: ([values = [], mask = []]) => {
    if (values.join() !== mask.join())
      throw new ShapeError(`masked: [${values.join(", ")}] and [${mask.join(", ")}] differ`);
    return [values];
  },
  dispatch: ([values = []]) => {
    const size = values.reduce((product, axis) => product * axis, 1);
    return {
      wgsl: maskedWgsl,
      uniforms: { size },
      workgroups: foldedGrid(Math.ceil(size / maskedWorkgroup)),
    };
  },
  cpu: maskedCpu,
};

/** Values where a mask of the same shape is positive, 0 elsewhere. Throws `ShapeError` for different shapes. */
export function masked(values: Tensor, mask: Tensor): Tensor {
  return run(maskedOp, [values, mask], {})[0]!;
}
