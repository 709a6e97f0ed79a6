import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { addNormGainGradientCpu, addNormGradientCpu } from "./addNorm.cpu.ts";
import { rowsOfWorkgroup } from "./addNorm.wgsl.ts";
import { addNormGainGradientWgsl, addNormGradientWgsl, gainColumns } from "./addNormGradient.wgsl.ts";

/** Attributes of `addNormGradientOp`; `addNormGradient` fills in those that follow from the shapes and the device. */
export interface AddNormGradientAttrs {
  /** Rows of the stacked A of the projections that read the norm; 0 when none has an adapter. */
  readonly downRank: number;
  /** Element of theta where that A [downRank, d] begins. */
  readonly aOffset: number;
  /** Everything is read four values at a time. */
  readonly isVector: boolean;
  /** One invocation owns whole rows: right for a software GPU, where a barrier costs more than idle lanes. */
  readonly isSerial: boolean;
}

/** Tensors of `addNormGradient`; dxa and theta only where the norm's readers have adapters. */
export interface AddNormGradientInputs {
  /** [rows, d] gradient of xn through the base weights */
  readonly dxn0: Tensor;
  /** [rows, downRank] gradient of xa */
  readonly dxa?: Tensor | undefined;
  /** [parameters] */
  readonly theta?: Tensor | undefined;
  /** [rows, d], as `addNorm` gave it */
  readonly h: Tensor;
  /** [rows, 1 + downRank], as `addNorm` gave it */
  readonly aux: Tensor;
  /** [d] */
  readonly gain: Tensor;
  /** [rows, d], changed in place: comes with the gradient of h along the residual */
  readonly dh: Tensor;
}

function matrixOf(shape: Shape | undefined): readonly [number, number] {
  const [rows, columns] = shape ?? [];
  if (rows === undefined || columns === undefined || shape?.length !== 2) {
    throw new ShapeError(`addNormGradient needs a matrix, got [${shape?.join(", ")}]`);
  }
  return [rows, columns];
}

function requireShape(name: string, shape: Shape | undefined, wanted: Shape): void {
  if (shape?.join() === wanted.join()) return;
  throw new ShapeError(`addNormGradient: ${name} is [${shape?.join(", ")}], not [${wanted.join(", ")}]`);
}

function inputs({ downRank, isVector }: AddNormGradientAttrs): readonly Binding[] {
  const type = isVector ? "vec4<f32>" : "f32";
  const floats = (name: string): Binding => ({ name, type });
  const aux: Binding = { name: "aux", type: "f32" };
  return [
    floats("dxn0"),
    ...(downRank > 0 ? [floats("dxa"), floats("theta")] : []),
    floats("h"),
    aux,
    floats("gain"),
    { name: "dh", type, isMutable: true },
  ];
}

/**
 * dh += rstd (gain dxn - hh mean(gain dxn hh)) with dxn = dxn0 + dxa A and hh = h rstd; aux must be what `addNorm` made
 * of h, gain and theta, for the mean is taken through its xa. dxn0 [rows, d], (dxa [rows, downRank], theta), h, aux,
 * gain [d], dh -> nothing; dh is changed in place.
 */
export const addNormGradientOp: Op<AddNormGradientAttrs> = {
  name: "addNormGradient",
  inputs,
  outputs: () => [],
  uniforms: { rows: "u32", aOffset: "u32" },
  outputShapes: (shapes, attrs) => {
    const { downRank, aOffset } = attrs;
    const [rows, columns] = matrixOf(shapes[0]);
    const named = Object.fromEntries(inputs(attrs).map(({ name }, index) => [name, shapes[index]]));
    if (downRank > 0) {
      requireShape("dxa", named["dxa"], [rows, downRank]);
      const needed = aOffset + columns * downRank;
      const size = named["theta"]?.[0] ?? 0;
      if (size < needed)
        throw new ShapeError(`addNormGradient: theta [${size}] ends before element ${needed}`);
    }
    for (const name of ["h", "dh"]) requireShape(name, named[name], [rows, columns]);
    requireShape("aux", named["aux"], [rows, 1 + downRank]);
    requireShape("gain", named["gain"], [columns]);
    return [];
  },
  dispatch: ([dxn0], attrs) => {
    const [rows, columns] = matrixOf(dxn0);
    return {
      wgsl: addNormGradientWgsl(columns, attrs),
      uniforms: { rows, aOffset: attrs.aOffset },
      workgroups: foldedGrid(Math.ceil(rows / rowsOfWorkgroup(attrs.isSerial))),
    };
  },
  cpu: addNormGradientCpu,
};

/** dgain = sum over rows of dxn h rstd: dxn [rows, d], h [rows, d], aux [rows, 1 or more] -> dgain [d]. */
export const addNormGainGradientOp: Op = {
  name: "addNormGainGradient",
  inputs: () => ["dxn", "h", "aux"].map((name) => ({ name, type: "f32" })),
  outputs: () => [{ name: "dgain", type: "f32" }],
  uniforms: { rows: "u32", columns: "u32", auxColumns: "u32" },
  outputShapes: ([dxn, h, aux]) => {
    const [rows, columns] = matrixOf(dxn);
    requireShape("h", h, [rows, columns]);
    requireShape("aux", aux, [rows, matrixOf(aux)[1]]);
    return [[columns]];
  },
  dispatch: ([dxn, , aux]) => {
    const [rows, columns] = matrixOf(dxn);
    return {
      wgsl: addNormGainGradientWgsl,
      uniforms: { rows, columns, auxColumns: matrixOf(aux)[1] },
      workgroups: [Math.ceil(columns / gainColumns), 1, 1],
    };
  },
  cpu: addNormGainGradientCpu,
};

/** Adds the norm's gradient to `dh` in place; see `addNormGradientOp`. */
export function addNormGradient(
  tensors: AddNormGradientInputs,
  options: { readonly aOffset?: number } = {},
): void {
  const { dxn0, dxa, theta, h, aux, gain, dh } = tensors;
  const { aOffset = 0 } = options;
  const downRank = dxa?.shape[1] ?? 0;
  const size = theta?.size ?? 0;
  const attrs: AddNormGradientAttrs = {
    downRank,
    aOffset,
    isVector: [dxn0.shape[1]!, downRank, aOffset, size].every((each) => each % 4 === 0),
    isSerial: isSoftwareGpu(),
  };
  const adapter = downRank > 0 ? [dxa, theta] : [];
  const given = [dxn0, ...adapter, h, aux, gain, dh].filter((each) => each !== undefined);
  run(addNormGradientOp, given, attrs);
}

/** Gradient of the gain [d] from the whole gradient of xn; for full fine-tuning, where there is no adapter. */
export function addNormGainGradient(dxn: Tensor, h: Tensor, aux: Tensor): Tensor {
  return run(addNormGainGradientOp, [dxn, h, aux], {})[0]!;
}
