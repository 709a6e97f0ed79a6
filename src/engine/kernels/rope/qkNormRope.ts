/** Norm of every query and key head before its rotation (Qwen 3, Gemma 3), on packed rows. */
import type { Binding, Dispatch, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { checkPacked, type PackedHeads } from "./packedHeads.ts";
import { qkNormRopeCpu, qkNormRopeGradientCpu } from "./qkNormRope.cpu.ts";
import {
  qkNormGroup,
  qkNormRopeGradientText,
  qkNormRopeText,
  type QkNormVariant,
} from "./qkNormRope.wgsl.ts";

/** Attributes of both directions. */
export interface QkNormRopeAttrs extends PackedHeads {
  /** Added to the mean square of a head. */
  readonly epsilon: number;
  /** Several invocations share a head: right for a GPU; a barrier is slow on a software GPU. */
  readonly canSplit: boolean;
}

/** What both directions read beside the rows. */
export interface QkNormRopeInputs {
  /** Gains of the norms: [headDim] each. */
  readonly qGain: Tensor;
  readonly kGain: Tensor;
  /** [maxPositions, rotary / 2, 2] */
  readonly table: Tensor;
  /** [rows] */
  readonly positions: Tensor;
}

const gainsAndTurns: readonly Binding[] = [
  { name: "qGain", type: "f32" },
  { name: "kGain", type: "f32" },
  { name: "table", type: "f32" },
  { name: "positions", type: "i32" },
];

/** Lanes of a head on a GPU: neighbours read 32 bytes in a row. */
const gpuLanes = 8;

function checkShapes(name: string, attrs: QkNormRopeAttrs, shapes: readonly Shape[]): void {
  const [qkv, qGain, kGain, table, positions] = shapes;
  checkPacked(name, attrs, { qkv: qkv!, table: table!, positions: positions! });
  for (const gain of [qGain, kGain]) {
    if (gain?.join() !== `${attrs.headDim}`) {
      throw new ShapeError(`${name} of heads of ${attrs.headDim} got a gain of [${gain?.join(", ")}]`);
    }
  }
}

function dispatchOf(
  text: (variant: QkNormVariant) => string,
  rows: number,
  { epsilon, canSplit, ...heads }: QkNormRopeAttrs,
): Dispatch {
  const lanes = canSplit ? gpuLanes : 1;
  const items = rows * (heads.heads + heads.keyValueHeads);
  return {
    wgsl: text({ ...heads, lanes }),
    uniforms: { rows, epsilon },
    workgroups: foldedGrid(Math.ceil((items * lanes) / qkNormGroup)),
  };
}

/** raw [rows, (heads + 2 keyValueHeads) headDim] -> qkv of the same shape; values are copied. */
export const qkNormRopeOp: Op<QkNormRopeAttrs> = {
  name: "qkNormRope",
  inputs: () => [{ name: "raw", type: "f32" }, ...gainsAndTurns],
  outputs: () => [{ name: "qkv", type: "f32" }],
  uniforms: { rows: "u32", epsilon: "f32" },
  outputShapes: (shapes, attrs) => {
    checkShapes("qkNormRope", attrs, shapes);
    return [shapes[0]!];
  },
  dispatch: ([raw], attrs) => dispatchOf(qkNormRopeText, raw![0]!, attrs),
  cpu: qkNormRopeCpu,
};

/** dqkv (in place) with respect to the turned heads -> with respect to the raw ones; gains are frozen. */
export const qkNormRopeGradientOp: Op<QkNormRopeAttrs> = {
  name: "qkNormRopeGradient",
  inputs: () => [
    { name: "dqkv", type: "f32", isMutable: true },
    { name: "raw", type: "f32" },
    ...gainsAndTurns,
  ],
  outputs: () => [],
  uniforms: { rows: "u32", epsilon: "f32" },
  outputShapes: ([dqkv, ...others], attrs) => {
    checkShapes("qkNormRopeGradient", attrs, others);
    if (dqkv?.join() !== others[0]?.join()) {
      throw new ShapeError(`qkNormRopeGradient: [${dqkv?.join(", ")}] and [${others[0]?.join(", ")}] differ`);
    }
    return [];
  },
  dispatch: ([dqkv], attrs) => dispatchOf(qkNormRopeGradientText, dqkv![0]!, attrs),
  cpu: qkNormRopeGradientCpu,
};

/** Norms and turns the query and key heads of raw [rows, (heads + 2 keyValueHeads) headDim]: -> qkv, values copied. */
export function qkNormRope(
  raw: Tensor,
  { qGain, kGain, table, positions }: QkNormRopeInputs,
  attrs: Omit<QkNormRopeAttrs, "canSplit">,
): Tensor {
  const inputs = [raw, qGain, kGain, table, positions];
  return run(qkNormRopeOp, inputs, { ...attrs, canSplit: !isSoftwareGpu() })[0]!;
}

/** Turns the gradient of `qkNormRope`'s output into that of its raw rows, in place in dqkv; the values' part stays. */
export function qkNormRopeGradient(
  { dqkv, raw }: { readonly dqkv: Tensor; readonly raw: Tensor },
  { qGain, kGain, table, positions }: QkNormRopeInputs,
  attrs: Omit<QkNormRopeAttrs, "canSplit">,
): void {
  const inputs = [dqkv, raw, qGain, kGain, table, positions];
  run(qkNormRopeGradientOp, inputs, { ...attrs, canSplit: !isSoftwareGpu() });
}
