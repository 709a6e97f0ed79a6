import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { accumulateCpu, adamwStepCpu, sumSquaresCpu } from "./adamw.cpu.ts";
import {
  accumulateWgsl,
  adamwStepWgsl,
  adamwWorkgroup,
  sumSquaresWgsl,
  valuesPerInvocation,
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

/** Where `sumSquares` writes: `slots` neighbouring totals, each filled by one workgroup. */
export interface SumSquaresAttrs {
  readonly slot: number;
  readonly slots: number;
}

/** Tensors of one parameter; theta, m and v are changed in place. All have the size of theta. */
export interface AdamwTensors {
  readonly theta: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
  readonly gradient: Tensor;
  /** Sums of squares of all gradients of the step: [slots]. */
  readonly totals: Tensor;
}

const floats = (name: string): Binding => ({ name, type: "f32" });
const mutable = (name: string): Binding => ({ name, type: "f32", isMutable: true });
const sizeOf = (shape: Shape | undefined): number => (shape ?? []).reduce((size, axis) => size * axis, 1);

function requireSameSize(name: string, shapes: readonly Shape[]): void {
  const sizes = shapes.map(sizeOf);
  if (sizes.some((size) => size !== sizes[0])) {
    throw new ShapeError(`${name}: sizes ${sizes.join(", ")} differ`);
  }
}

/** totals[slot ..] = partial sums of squares of the gradient (any shape); totals [slots] is changed in place. */
export const sumSquaresOp: Op<SumSquaresAttrs> = {
  name: "sumSquares",
  inputs: () => [floats("gradient"), mutable("totals")],
  outputs: () => [],
  uniforms: { size: "u32", slot: "u32", slots: "u32" },
  outputShapes: ([, totals], { slot, slots }) => {
    if (slot < 0 || slots < 1 || slot + slots > sizeOf(totals)) {
      throw new ShapeError(`sumSquares: slots ${slot} to ${slot + slots - 1} of ${sizeOf(totals)}`);
    }
    return [];
  },
  dispatch: ([gradient], { slot, slots }) => ({
    wgsl: sumSquaresWgsl,
    uniforms: { size: sizeOf(gradient), slot, slots },
    workgroups: [slots, 1, 1],
  }),
  cpu: sumSquaresCpu,
};

/** One AdamW step on theta, m, v (in place) with the gradient clipped by the global norm in totals. */
export const adamwStepOp: Op<AdamwAttrs> = {
  name: "adamwStep",
  inputs: () => [...["theta", "m", "v"].map(mutable), floats("gradient"), floats("totals")],
  outputs: () => [],
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
    requireSameSize("adamwStep", shapes.slice(0, 4));
    return [];
  },
  dispatch: (shapes, attrs) => {
    const size = sizeOf(shapes[0]);
    return {
      wgsl: adamwStepWgsl,
      uniforms: { size, slots: sizeOf(shapes[4]), ...attrs },
      workgroups: foldedGrid(Math.ceil(size / (adamwWorkgroup * valuesPerInvocation))),
    };
  },
  cpu: adamwStepCpu,
};

/** sum += scale * gradient, in place; both of one size. */
export const accumulateOp: Op<{ readonly scale: number }> = {
  name: "accumulateGradient",
  inputs: () => [mutable("sum"), floats("gradient")],
  outputs: () => [],
  uniforms: { size: "u32", scale: "f32" },
  outputShapes: (shapes) => {
    requireSameSize("accumulate", shapes);
    return [];
  },
  dispatch: ([sum], { scale }) => {
    const size = sizeOf(sum);
    return {
      wgsl: accumulateWgsl,
      uniforms: { size, scale },
      workgroups: foldedGrid(Math.ceil(size / adamwWorkgroup)),
    };
  },
  cpu: accumulateCpu,
};

/** Writes the gradient's sum of squares into totals, from `slot` on; more slots share the work of a large one. */
export function sumSquares(
  gradient: Tensor,
  totals: Tensor,
  { slot, slots = 1 }: { slot: number; slots?: number },
): void {
  run(sumSquaresOp, [gradient, totals], { slot, slots });
}

/**
 * AdamW (Loshchilov and Hutter 2019) as PyTorch orders it: decay first, then the bias-corrected update, with
 * the gradient scaled by min(1, maxGradNorm / (norm + 1e-6)). A norm that is not finite, or whose square
 * exceeds float32, changes nothing.
 */
export function adamwStep({ theta, m, v, gradient, totals }: AdamwTensors, attrs: AdamwAttrs): void {
  run(adamwStepOp, [theta, m, v, gradient, totals], attrs);
}

/** Adds scale * gradient to a running sum in place (gradient accumulation). */
export function accumulate(sum: Tensor, gradient: Tensor, scale: number): void {
  run(accumulateOp, [sum, gradient], { scale });
}
