import { ShapeError, type Op, type Shape } from "../../tensor/op.ts";
import { isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { elementOf, featureAttrs, requireShape, type FeatureEncoder } from "../featurePool/featurePool.ts";
import { foldedGrid } from "../grid.ts";
import { steerStreamCpu } from "./steerStream.cpu.ts";
import { serialSteerWgsl, steeredRows, teamSteerWgsl } from "./steerStream.wgsl.ts";

/** Attributes of `steerStreamOp`; `steerStream` fills in those that follow from the shapes and the device. */
export interface SteerAttrs {
  /** `add` adds `value` times the feature's direction, `clamp` adds as much of it as sets the activation to `value`. */
  readonly mode: "add" | "clamp";
  /** Row of the encoder and the decoder. */
  readonly feature: number;
  readonly value: number;
  /** Rows of this token are left as they are; −1 for none. */
  readonly skippedToken: number;
  /** Rows are read four numbers at a time; their width is a multiple of 4. */
  readonly isVector: boolean;
  /** No barriers: right for a software GPU. */
  readonly isSerial: boolean;
}

/** Tensors of `steerStream`. */
export interface SteerInputs extends FeatureEncoder {
  /** [rows, d] the residual stream, changed in place */
  readonly stream: Tensor;
  /** [rows] int32 */
  readonly tokenIds: Tensor;
  /** [width, d], a row per feature: the directions */
  readonly decoder: Tensor;
}

function sizesOf(shapes: readonly Shape[], { mode, feature, isVector }: SteerAttrs) {
  const [stream, tokenIds, decoder, encoder, bias, threshold] = shapes;
  const [rows = 0, inputSize = 0] = stream ?? [];
  const [width = 0] = decoder ?? [];
  requireShape("steerStream", "tokenIds", tokenIds, [rows]);
  requireShape("steerStream", "decoder", decoder, [width, inputSize]);
  if (mode === "clamp") {
    requireShape("steerStream", "encoder", encoder, [width, inputSize]);
    requireShape("steerStream", "bias", bias, [width]);
    requireShape("steerStream", "threshold", threshold, [width]);
  }
  if (!Number.isInteger(feature) || feature < 0 || feature >= width)
    throw new ShapeError(`steerStream: feature ${feature} is not one of ${width}`);
  if (isVector && inputSize % 4 !== 0) throw new ShapeError(`steerStream by fours got rows of ${inputSize}`);
  return { rows, inputSize };
}

/**
 * `add`: stream[t] += value Wd_j. `clamp`: stream[t] += (value − a) Wd_j with the activation a = c(stream[t] We_j + b_j),
 * c(x) = x where x > max(threshold_j, 0), else 0; the activation afterwards is `value` where We_j Wd_j = 1 and the
 * feature was active. stream [rows, d], tokenIds [rows], decoder [width, d] and for `clamp` encoder [width, d],
 * bias [width], threshold [width] -> nothing; stream is changed in place, but for rows of the skipped token.
 */
export const steerStreamOp: Op<SteerAttrs> = {
  name: "steerStream",
  inputs: (attrs) => [
    { name: "stream", type: elementOf(attrs), isMutable: true },
    { name: "tokenIds", type: "i32" },
    { name: "decoder", type: elementOf(attrs) },
    ...(attrs.mode === "add"
      ? []
      : ([
          { name: "encoder", type: elementOf(attrs) },
          { name: "bias", type: "f32" },
          { name: "threshold", type: "f32" },
        ] as const)),
  ],
  outputs: () => [],
  uniforms: { rows: "u32", feature: "u32", skippedToken: "i32", value: "f32" },
  outputShapes: (shapes, attrs) => {
    sizesOf(shapes, attrs);
    return [];
  },
  dispatch: (shapes, attrs) => {
    const { rows, inputSize } = sizesOf(shapes, attrs);
    const { mode, feature, value, skippedToken, isVector, isSerial } = attrs;
    const elements = isVector ? inputSize / 4 : inputSize;
    return {
      wgsl: (isSerial ? serialSteerWgsl : teamSteerWgsl)(elements, { mode, isVector }),
      uniforms: { rows, feature, skippedToken, value },
      workgroups: foldedGrid(Math.ceil(rows / steeredRows(isSerial))),
    };
  },
  cpu: steerStreamCpu,
};

/** Steers one feature in place at every row of a stream, but for those of `skippedToken`; see `steerStreamOp`. */
export function steerStream(
  inputs: SteerInputs,
  {
    skippedToken,
    ...change
  }: Pick<SteerAttrs, "mode" | "feature" | "value"> & { readonly skippedToken: number | null },
): void {
  const { stream, tokenIds, decoder, encoder, bias, threshold } = inputs;
  const given = [stream, tokenIds, decoder, ...(change.mode === "add" ? [] : [encoder, bias, threshold])];
  run(steerStreamOp, given, {
    ...change,
    ...featureAttrs(stream.shape[1] ?? 0),
    skippedToken: skippedToken ?? -1,
    isSerial: isSoftwareGpu(),
  });
}
