/** AdamW over all parameters as one flat tensor, in two dispatches. */
import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { accumulateAtCpu, adamwClipCpu, gradientSquaresCpu } from "./adamw.cpu.ts";
import {
  accumulateAtWgsl,
  adamwClipWgsl,
  adamwClipWorkgroup,
  gradientSquaresWgsl,
  parametersPerInvocation,
} from "./adamw.wgsl.ts";

/** Numbers of one AdamW step. */
export interface AdamwAttrs {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled: theta shrinks by learningRate * weightDecay before the update. */
  readonly weightDecay: number;
  /** Largest global gradient norm; 0 switches clipping off. */
  readonly maxGradNorm: number;
  /** 1 - beta1^step, from the host in float64; steps count from 1. */
  readonly biasCorrection1: number;
  /** 1 - beta2^step. */
  readonly biasCorrection2: number;
}

/** Tensors of one step; theta, m, v (changed in place) and gradients are of one size. */
export interface FlatAdamwTensors {
  readonly theta: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
  readonly gradients: Tensor;
  /** Partial sums of squares of all gradients of the step: [at most 256]. */
  readonly squares: Tensor;
}

/** Every workgroup of the update adds up all partial sums. */
const mostPartials = 256;
/** Values per partial sum below which another workgroup is not worth it. */
const fewestValuesPerPartial = 1024;

const floats = (name: string): Binding => ({ name, type: "f32" });
const mutable = (name: string): Binding => ({ name, type: "f32", isMutable: true });
const sizeOf = (shape: Shape | undefined): number => (shape ?? []).reduce((size, axis) => size * axis, 1);

const partialsOf = (size: number): number =>
  Math.max(1, Math.min(mostPartials, Math.ceil(size / fewestValuesPerPartial)));

/** Partial sums of squares: gradient [size] -> partials [at most 256]. */
export const gradientSquaresOp: Op = {
  name: "gradientSquares",
  inputs: () => [floats("gradient")],
  outputs: () => [floats("partials")],
  uniforms: { size: "u32", slots: "u32" },
  outputShapes: ([gradient]) => [[partialsOf(sizeOf(gradient))]],
  dispatch: ([gradient]) => {
    const size = sizeOf(gradient);
    const slots = partialsOf(size);
    return { wgsl: gradientSquaresWgsl, uniforms: { size, slots }, workgroups: [slots, 1, 1] };
  },
  cpu: gradientSquaresCpu,
};

/**
 * One AdamW step on theta, m, v [size] (in place), clipped by the global norm in squares [slots] -> report [2]: the norm
 * before clipping, and 1 if the norm was not finite and nothing was changed.
 */
export const adamwClipOp: Op<AdamwAttrs> = {
  name: "adamwClip",
  inputs: () => [...["theta", "m", "v"].map(mutable), floats("gradients"), floats("squares")],
  outputs: () => [floats("report")],
  uniforms: {
    size: "u32",
    slots: "u32",
    learningRate: "f32",
    beta1: "f32",
    beta2: "f32",
    epsilon: "f32",
    weightDecay: "f32",
    maxGradNorm: "f32",
    biasCorrection1: "f32",
    biasCorrection2: "f32",
  },
  outputShapes: (shapes) => {
    const sizes = shapes.slice(0, 4).map(sizeOf);
    if (sizes.some((size) => size !== sizes[0])) {
      throw new ShapeError(`adamwClip: sizes ${sizes.join(", ")} of theta, m, v and gradients differ`);
    }
    return [[2]];
  },
  dispatch: (shapes, attrs) => {
    const size = sizeOf(shapes[0]);
    return {
      wgsl: adamwClipWgsl,
      uniforms: { size, slots: sizeOf(shapes[4]), ...attrs },
      workgroups: foldedGrid(Math.ceil(size / (adamwClipWorkgroup * parametersPerInvocation))),
    };
  },
  cpu: adamwClipCpu,
};

/** sum[offset + i] += gradient[i], in place; `offset` counts elements. */
export const accumulateAtOp: Op<{ readonly offset: number }> = {
  name: "accumulateAt",
  inputs: () => [mutable("sum"), floats("gradient")],
  outputs: () => [],
  uniforms: { size: "u32", offset: "u32" },
  outputShapes: ([sum, gradient], { offset }) => {
    if (offset < 0 || offset + sizeOf(gradient) > sizeOf(sum)) {
      throw new ShapeError(
        `accumulateAt: ${sizeOf(gradient)} values from ${offset} on do not fit into ${sizeOf(sum)}`,
      );
    }
    return [];
  },
  dispatch: ([, gradient], { offset }) => {
    const size = sizeOf(gradient);
    return {
      wgsl: accumulateAtWgsl,
      uniforms: { size, offset },
      workgroups: foldedGrid(Math.ceil(size / adamwClipWorkgroup)),
    };
  },
  cpu: accumulateAtCpu,
};

/** Partial sums of squares of a gradient of any shape -> [at most 256]; `adamwClip` adds them up. */
export function gradientSquares(gradients: Tensor): Tensor {
  return run(gradientSquaresOp, [gradients], {})[0]!;
}

/**
 * AdamW (Loshchilov and Hutter 2019) as PyTorch orders it, on flat tensors [size]: the gradient is scaled by
 * min(1, maxGradNorm / (norm + 1e-6)), decay comes first, then the bias-corrected update. Returns report [2]: the norm
 * before clipping, and 1 if it was not finite (or its square exceeds float32) and nothing was changed.
 */
export function adamwClip(tensors: FlatAdamwTensors, attrs: AdamwAttrs): Tensor {
  const { theta, m, v, gradients, squares } = tensors;
  return run(adamwClipOp, [theta, m, v, gradients, squares], attrs)[0]!;
}

/** Adds a gradient [n] to the elements of a running sum from `offset` on, in place (gradient accumulation). */
export function accumulateAt(sum: Tensor, gradient: Tensor, offset: number): void {
  run(accumulateAtOp, [sum, gradient], { offset });
}
