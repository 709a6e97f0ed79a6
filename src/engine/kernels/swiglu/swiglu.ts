import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { swigluCpu, swigluGradCpu } from "./swiglu.cpu.ts";
import { swigluGradWgsl, swigluWgsl, swigluWorkgroup } from "./swiglu.wgsl.ts";

const floats = (name: string): Binding => ({ name, type: "f32" });

function commonShape(shapes: readonly Shape[]): Shape {
  const [gate, ...others] = shapes;
  for (const other of others) {
    if (gate?.join() !== other.join()) {
      throw new ShapeError(`swiglu: [${gate?.join(", ")}] and [${other.join(", ")}] differ`);
    }
  }
  return gate ?? [];
}

const sizeOf = (shape: Shape | undefined): number => (shape ?? []).reduce((size, axis) => size * axis, 1);

const workgroupsFor = (size: number): readonly [number, number, number] =>
  foldedGrid(Math.ceil(size / swigluWorkgroup));

/** Gradients of `swiglu` in one dispatch: gate, up, dy -> dgate, dup. */
export const swigluGradOp: Op = {
  name: "swigluGrad",
  inputs: () => ["gate", "up", "dy"].map(floats),
  outputs: () => ["dgate", "dup"].map(floats),
  uniforms: { size: "u32" },
  outputShapes: (shapes) => [commonShape(shapes), commonShape(shapes)],
  dispatch: ([shape]) => {
    const size = sizeOf(shape);
    return { wgsl: swigluGradWgsl, uniforms: { size }, workgroups: workgroupsFor(size) };
  },
  cpu: swigluGradCpu,
};

/** product = gate sigmoid(gate) up, all of one shape. */
export const swigluOp: Op = {
  name: "swiglu",
  inputs: () => ["gate", "up"].map(floats),
  outputs: () => [floats("product")],
  uniforms: { size: "u32" },
  outputShapes: (shapes) => [commonShape(shapes)],
  dispatch: ([shape]) => {
    const size = sizeOf(shape);
    return { wgsl: swigluWgsl, uniforms: { size }, workgroups: workgroupsFor(size) };
  },
  cpu: swigluCpu,
  gradient: (dys, inputs) => {
    // Made here, not in a closure: the tape frees what a closure makes but does not return.
    const [dgate, dup] = run(swigluGradOp, [...inputs, dys[0]!], {}) as [Tensor, Tensor];
    return { gate: () => dgate, up: () => dup };
  },
};

/** Gated activation of a LLaMA-like feed-forward block: gate, up [rows, width] -> [rows, width]. */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return run(swigluOp, [gate, up], {})[0]!;
}
