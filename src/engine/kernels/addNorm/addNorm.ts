import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { addNormCpu } from "./addNorm.cpu.ts";
import { addNormWgsl, rowsOfWorkgroup } from "./addNorm.wgsl.ts";

/** Attributes of `addNormOp`; `addNorm` fills in those that follow from the shapes and the device. */
export interface AddNormAttrs {
  /** The previous projection's output y0 is added to x. */
  readonly hasAdd: boolean;
  /** Rank of the previous projection's adapter; 0 when it has none. */
  readonly upRank: number;
  /** Rows of the stacked A of the projections that read the norm; 0 when none has an adapter. */
  readonly downRank: number;
  /** Added to the mean square. */
  readonly epsilon: number;
  /** Factor on the previous projection's adapter (alpha / rank). */
  readonly loraScale: number;
  /** Element of theta where the stacked A [downRank, d] of the next projections begins. */
  readonly aOffset: number;
  /** Element of theta where B [d, upRank] of the previous projection begins. */
  readonly bOffset: number;
  /** Everything is read four values at a time. */
  readonly isVector: boolean;
  /** One invocation owns whole rows: right for a software GPU, where a barrier costs more than idle lanes. */
  readonly isSerial: boolean;
}

/** Tensors of `addNorm`: theta is needed for an adapter before (ya) or after (downRank). */
export interface AddNormInputs {
  /** [rows, d] */
  readonly x: Tensor;
  /** [rows, d] */
  readonly y0?: Tensor | undefined;
  /** [rows, upRank]; only beside y0 */
  readonly ya?: Tensor | undefined;
  /** [d] */
  readonly gain: Tensor;
  /** [parameters] */
  readonly theta?: Tensor | undefined;
}

/** Numbers of `addNorm`; offsets and scale are 0 and 1 when left out. */
export interface AddNormOptions {
  readonly epsilon: number;
  readonly downRank?: number;
  readonly loraScale?: number;
  readonly aOffset?: number;
  readonly bOffset?: number;
}

function sizesOf(shape: Shape | undefined): readonly [number, number] {
  const [rows, columns] = shape ?? [];
  if (rows === undefined || columns === undefined || shape?.length !== 2) {
    throw new ShapeError(`addNorm needs a matrix, got [${shape?.join(", ")}]`);
  }
  return [rows, columns];
}

function inputs({ hasAdd, upRank, downRank, isVector }: AddNormAttrs): readonly Binding[] {
  const type = isVector ? "vec4<f32>" : "f32";
  const names = ["x"];
  if (hasAdd) names.push("y0");
  if (upRank > 0) names.push("ya");
  names.push("gain");
  if (upRank > 0 || downRank > 0) names.push("theta");
  return names.map((name) => ({ name, type }));
}

function outputs({ hasAdd, isVector }: AddNormAttrs): readonly Binding[] {
  const type = isVector ? "vec4<f32>" : "f32";
  const names: Binding[] = hasAdd ? [{ name: "h", type }] : [];
  return [...names, { name: "xn", type }, { name: "aux", type: "f32" }];
}

function outputShapes(shapes: readonly Shape[], attrs: AddNormAttrs): readonly Shape[] {
  const [rows, columns] = sizesOf(shapes[0]);
  const { hasAdd, upRank, downRank, aOffset, bOffset } = attrs;
  if (upRank > 0 && !hasAdd)
    throw new ShapeError("addNorm: an adapter's share needs its projection's output");
  const needed = Math.max(
    upRank > 0 ? bOffset + columns * upRank : 0,
    downRank > 0 ? aOffset + columns * downRank : 0,
  );
  const expected: Record<string, Shape> = {
    y0: [rows, columns],
    ya: [rows, upRank],
    gain: [columns],
  };
  inputs(attrs).forEach(({ name }, index) => {
    const shape = shapes[index] ?? [];
    const wanted = expected[name];
    if (wanted !== undefined && shape.join() !== wanted.join()) {
      throw new ShapeError(`addNorm: ${name} is [${shape.join(", ")}], not [${wanted.join(", ")}]`);
    }
    if (name === "theta" && (shape.length !== 1 || shape[0]! < needed)) {
      throw new ShapeError(`addNorm: theta [${shape.join(", ")}] ends before element ${needed}`);
    }
  });
  const matrix = [rows, columns];
  return [...(hasAdd ? [matrix] : []), matrix, [rows, 1 + downRank]];
}

/**
 * h = x + y0 + loraScale ya B^T (only with `hasAdd`), xn = h rstd gain with rstd = 1 / sqrt(mean(h^2) + epsilon), and
 * aux [rows, 1 + downRank] with rstd in column 0 and xn A^T from column 1 on.
 * x, y0 [rows, d], ya [rows, upRank], gain [d], theta [parameters] -> (h), xn, aux.
 */
export const addNormOp: Op<AddNormAttrs> = {
  name: "addNorm",
  inputs,
  outputs,
  uniforms: { rows: "u32", aOffset: "u32", bOffset: "u32", epsilon: "f32", loraScale: "f32" },
  outputShapes,
  dispatch: ([x], attrs) => {
    const [rows, columns] = sizesOf(x);
    const { aOffset, bOffset, epsilon, loraScale } = attrs;
    return {
      wgsl: addNormWgsl(columns, attrs),
      uniforms: { rows, aOffset, bOffset, epsilon, loraScale },
      workgroups: foldedGrid(Math.ceil(rows / rowsOfWorkgroup(attrs.isSerial))),
    };
  },
  cpu: addNormCpu,
};

/**
 * Residual, adapter share, root-mean-square norm and the next adapters' first product in one dispatch; see `addNormOp`.
 * Without y0 nothing is added and h is x itself, the same handle.
 */
export function addNorm(
  tensors: AddNormInputs,
  options: AddNormOptions,
): { h: Tensor; xn: Tensor; aux: Tensor } {
  const { x, y0, ya, gain, theta } = tensors;
  const { downRank = 0, loraScale = 1, aOffset = 0, bOffset = 0, epsilon } = options;
  const upRank = ya?.shape[1] ?? 0;
  const size = theta?.size ?? 0;
  const attrs: AddNormAttrs = {
    hasAdd: y0 !== undefined,
    upRank,
    downRank,
    epsilon,
    loraScale,
    aOffset,
    bOffset,
    isVector: [x.shape[1]!, upRank, aOffset, bOffset, size].every((each) => each % 4 === 0),
    isSerial: isSoftwareGpu(),
  };
  const needsTheta = upRank > 0 || downRank > 0;
  const given = [x, y0, ya, gain, needsTheta ? theta : undefined].filter((each) => each !== undefined);
  const made = run(addNormOp, given, attrs);
  const [xn, aux] = made.slice(-2) as [Tensor, Tensor];
  return { h: y0 === undefined ? x : made[0]!, xn, aux };
}
