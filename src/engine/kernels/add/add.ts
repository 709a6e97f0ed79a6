import type { Op } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { addCpu } from "./add.cpu.ts";
import { addWgsl, addWorkgroup } from "./add.wgsl.ts";

/** total = a + b, all of one shape (a residual connection). */
export const addOp: Op = {
  name: "add",
  inputs: () => [
    { name: "a", type: "f32" },
    { name: "b", type: "f32" },
  ],
  outputs: () => [{ name: "total", type: "f32" }],
  uniforms: { size: "u32" },
  outputShapes: ([a = [], b = []]) => {
    if (a.join() !== b.join()) throw new ShapeError(`add: [${a.join(", ")}] and [${b.join(", ")}] differ`);
    return [a];
  },
  dispatch: ([a = []]) => {
    const size = a.reduce((product, axis) => product * axis, 1);
    return { wgsl: addWgsl, uniforms: { size }, workgroups: foldedGrid(Math.ceil(size / addWorkgroup)) };
  },
  cpu: addCpu,
  // Own handles on one buffer: the tape disposes of each gradient separately.
  gradient: ([dy]) => ({ a: () => dy!.clone(), b: () => dy!.clone() }),
};

/** Sum of two tensors of one shape. */
export function add(a: Tensor, b: Tensor): Tensor {
  return run(addOp, [a, b], {})[0]!;
}
