import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import type { Activation } from "./activation.ts";
import { gatedActivationCpu, gatedActivationGradientCpu } from "./gatedActivation.cpu.ts";
import {
  activationWorkgroup,
  gatedActivationGradientWgsl,
  gatedActivationWgsl,
} from "./gatedActivation.wgsl.ts";

interface GatedActivationAttrs {
  /** What the gate goes through. */
  readonly act: Activation;
}

const floats = (name: string): Binding => ({ name, type: "f32" });

function commonShape(shapes: readonly Shape[]): Shape {
  const [gate, ...others] = shapes;
  for (const other of others) {
    if (gate?.join() !== other.join()) {
      throw new ShapeError(`gatedActivation: [${gate?.join(", ")}] and [${other.join(", ")}] differ`);
    }
  }
  return gate ?? [];
}

const sizeOf = (shape: Shape | undefined): number => (shape ?? []).reduce((size, axis) => size * axis, 1);

const workgroupsFor = (size: number): readonly [number, number, number] =>
  foldedGrid(Math.ceil(size / activationWorkgroup));

/** Gradients of `gatedActivation` in one dispatch: gate, up, dy -> dgate, dup. */
export const gatedActivationGradientOp: Op<GatedActivationAttrs> = {
  name: "gatedActivationGradient",
  inputs: () => ["gate", "up", "dy"].map(floats),
  outputs: () => ["dgate", "dup"].map(floats),
  uniforms: { size: "u32" },
  outputShapes: (shapes) => [commonShape(shapes), commonShape(shapes)],
  dispatch: ([shape], { act }) => {
    const size = sizeOf(shape);
    return { wgsl: gatedActivationGradientWgsl(act), uniforms: { size }, workgroups: workgroupsFor(size) };
  },
  cpu: gatedActivationGradientCpu,
};

/** product = act(gate) up, all of one shape. */
export const gatedActivationOp: Op<GatedActivationAttrs> = {
  name: "gatedActivation",
  inputs: () => ["gate", "up"].map(floats),
  outputs: () => [floats("product")],
  uniforms: { size: "u32" },
  outputShapes: (shapes) => [commonShape(shapes)],
  dispatch: ([shape], { act }) => {
    const size = sizeOf(shape);
    return { wgsl: gatedActivationWgsl(act), uniforms: { size }, workgroups: workgroupsFor(size) };
  },
  cpu: gatedActivationCpu,
  gradient: (dys, inputs, _outputs, attrs) => {
    // Made here, not in a closure: the tape frees what a closure makes but does not return.
    const [dgate, dup] = run(gatedActivationGradientOp, [...inputs, dys[0]!], attrs) as [Tensor, Tensor];
    return { gate: () => dgate, up: () => dup };
  },
};

/** Gate of a feed-forward block, SwiGLU with "silu" and GeGLU with a gelu: gate, up [rows, width] -> [rows, width]. */
export function gatedActivation(gate: Tensor, up: Tensor, act: Activation): Tensor {
  return run(gatedActivationOp, [gate, up], { act })[0]!;
}
