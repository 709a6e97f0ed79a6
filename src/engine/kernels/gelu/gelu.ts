import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import type { Activation } from "../gatedActivation/activation.ts";
import { activationWorkgroup, elementKernel } from "../gatedActivation/gatedActivation.wgsl.ts";
import { foldedGrid } from "../grid.ts";
import { geluCpu, geluGradientCpu } from "./gelu.cpu.ts";

/** Which of the two formulas: by the error function ("gelu"), or by a tanh. */
export interface GeluAttrs {
  readonly act: Exclude<Activation, "silu">;
}

const floats = (name: string): Binding => ({ name, type: "f32" });
const sizeOf = (shape: Shape | undefined): number => (shape ?? []).reduce((size, axis) => size * axis, 1);
const workgroupsFor = (size: number): readonly [number, number, number] =>
  foldedGrid(Math.ceil(size / activationWorkgroup));

/** Gradient of `gelu`: x, dy -> dx, all of one shape. */
export const geluGradientOp: Op<GeluAttrs> = {
  name: "geluGradient",
  inputs: () => ["x", "dy"].map(floats),
  outputs: () => [floats("dx")],
  uniforms: { size: "u32" },
  outputShapes: ([x, dy]) => {
    if (x!.join() !== dy!.join()) {
      throw new ShapeError(`geluGradient: [${x!.join(", ")}] and [${dy!.join(", ")}] differ`);
    }
    return [x!];
  },
  dispatch: ([shape], { act }) => ({
    wgsl: elementKernel(act, "  dx[index] = dy[index] * activate(x[index]).slope;"),
    uniforms: { size: sizeOf(shape) },
    workgroups: workgroupsFor(sizeOf(shape)),
  }),
  cpu: geluGradientCpu,
};

/** y = x Phi(x), of any shape. */
export const geluOp: Op<GeluAttrs> = {
  name: "gelu",
  inputs: () => [floats("x")],
  outputs: () => [floats("y")],
  uniforms: { size: "u32" },
  outputShapes: ([x]) => [x!],
  dispatch: ([shape], { act }) => ({
    wgsl: elementKernel(act, "  y[index] = activate(x[index]).value;"),
    uniforms: { size: sizeOf(shape) },
    workgroups: workgroupsFor(sizeOf(shape)),
  }),
  cpu: geluCpu,
  gradient: ([dy], [x], _outputs, attrs) => ({ x: () => run(geluGradientOp, [x!, dy!], attrs)[0]! }),
};

/** Activation of a feed-forward block without a gate: x [rows, width] -> [rows, width]. */
export function gelu(x: Tensor, act: GeluAttrs["act"]): Tensor {
  return run(geluOp, [x], { act })[0]!;
}
