import { ShapeError, type ElementType, type Op, type Shape } from "../../tensor/op.ts";
import { isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { featurePoolCpu } from "./featurePool.cpu.ts";
import { poolColumns, poolWorkgroup, serialPoolWgsl, teamPoolWgsl } from "./featurePool.wgsl.ts";

/** Attributes of both operations; `featureAttrs` fills them in. */
export interface FeatureAttrs {
  /** Rows of the stream and of the encoder are read four numbers at a time; their width is a multiple of 4. */
  readonly isVector: boolean;
  /** No barriers: right for a software GPU, where they cost more than repeated reads. */
  readonly isSerial: boolean;
}

/** The half of a sparse autoencoder that makes activations from the stream. */
export interface FeatureEncoder {
  /** [width, d], a row per feature */
  readonly encoder: Tensor;
  /** [width] */
  readonly bias: Tensor;
  /** [width] 0 where the feature is a plain ReLU */
  readonly threshold: Tensor;
}

/** What is pooled. */
export interface FeaturePoolInputs extends FeatureEncoder {
  /** [rows, d] the residual stream */
  readonly hidden: Tensor;
  /** [entries] int32: the row of each entry; −1 is not pooled but counts in the divisor */
  readonly scoredRows: Tensor;
  /** [answers, 2] int32: first entry and the one after the last of each answer */
  readonly entryRanges: Tensor;
}

interface PoolSizes {
  readonly answers: number;
  readonly width: number;
  readonly inputSize: number;
}

/** Throws unless a shape is the wanted one. */
export function requireShape(operation: string, name: string, shape: Shape | undefined, wanted: Shape): void {
  if (shape?.join() === wanted.join()) return;
  throw new ShapeError(`${operation}: ${name} is [${shape?.join(", ")}], not [${wanted.join(", ")}]`);
}

/** Features and inputs of an encoder that fits the stream, its bias and its thresholds. */
export function encoderSizes(
  operation: string,
  { hidden, encoder, bias, threshold }: Readonly<Record<keyof FeatureEncoder | "hidden", Shape | undefined>>,
  { isVector }: FeatureAttrs,
): { readonly width: number; readonly inputSize: number } {
  const [width = 0] = encoder ?? [];
  const inputSize = hidden?.[1] ?? 0;
  requireShape(operation, "encoder", encoder, [width, inputSize]);
  requireShape(operation, "bias", bias, [width]);
  requireShape(operation, "threshold", threshold, [width]);
  if (isVector && inputSize % 4 !== 0) throw new ShapeError(`${operation} by fours got rows of ${inputSize}`);
  return { width, inputSize };
}

/** Element type of the stream and the encoder. */
export const elementOf = ({ isVector }: FeatureAttrs): ElementType => (isVector ? "vec4<f32>" : "f32");

/** Attributes for a stream of `inputSize` numbers on the active device. */
export function featureAttrs(inputSize: number): FeatureAttrs {
  return { isVector: inputSize % 4 === 0, isSerial: isSoftwareGpu() };
}

function sizesOf(shapes: readonly Shape[], attrs: FeatureAttrs): PoolSizes {
  const [hidden, scoredRows, entryRanges, encoder, bias, threshold] = shapes;
  requireShape("featurePool", "scoredRows", scoredRows, [scoredRows?.[0] ?? 0]);
  const answers = entryRanges?.[0] ?? 0;
  requireShape("featurePool", "entryRanges", entryRanges, [answers, 2]);
  return { answers, ...encoderSizes("featurePool", { hidden, encoder, bias, threshold }, attrs) };
}

/**
 * pooled[a, j] = 1/T sum over the entries of answer a of c(h We_j + b_j), with c(x) = x where x > max(threshold_j, 0),
 * else 0, and T the number of the answer's entries; nothing of the size [entries, width] exists. An empty range gives
 * 0. hidden [rows, d], scoredRows [entries], entryRanges [answers, 2], encoder [width, d], bias [width],
 * threshold [width] -> pooled [answers, width], activity [answers, tiles], whose rows add up to the mean number of active
 * features per entry. Source: arXiv 2411.07618, equations 4 to 6, with the JumpReLU of its autoencoders.
 */
export const featurePoolOp: Op<FeatureAttrs> = {
  name: "featurePool",
  inputs: (attrs) => [
    { name: "hidden", type: elementOf(attrs) },
    { name: "scoredRows", type: "i32" },
    { name: "entryRanges", type: "i32" },
    { name: "encoder", type: elementOf(attrs) },
    { name: "bias", type: "f32" },
    { name: "threshold", type: "f32" },
  ],
  outputs: () => [
    { name: "pooled", type: "f32" },
    { name: "activity", type: "f32" },
  ],
  uniforms: { answers: "u32" },
  outputShapes: (shapes, attrs) => {
    const { answers, width } = sizesOf(shapes, attrs);
    return [
      [answers, width],
      [answers, Math.ceil(width / poolColumns(attrs.isSerial))],
    ];
  },
  dispatch: (shapes, attrs) => {
    const { answers, width, inputSize } = sizesOf(shapes, attrs);
    const tiles = answers * Math.ceil(width / poolColumns(attrs.isSerial));
    return {
      wgsl: attrs.isSerial ? serialPoolWgsl(width, inputSize) : teamPoolWgsl(width, inputSize),
      uniforms: { answers },
      workgroups: foldedGrid(attrs.isSerial ? Math.ceil(tiles / poolWorkgroup) : tiles),
    };
  },
  cpu: featurePoolCpu,
};

/** Mean activations of every answer, and how many features are active; see `featurePoolOp`. */
export function featurePool(inputs: FeaturePoolInputs): {
  readonly pooled: Tensor;
  readonly activity: Tensor;
} {
  const { hidden, scoredRows, entryRanges, encoder, bias, threshold } = inputs;
  const given = [hidden, scoredRows, entryRanges, encoder, bias, threshold];
  const [pooled, activity] = run(featurePoolOp, given, featureAttrs(hidden.shape[1] ?? 0));
  return { pooled: pooled!, activity: activity! };
}
