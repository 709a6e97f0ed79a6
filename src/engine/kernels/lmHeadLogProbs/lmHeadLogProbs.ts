/**
 * The language-model head over the scored rows: log-probability of the label, entropy, KL to a reference and mean
 * logit, computed online over the vocabulary so that no buffer of [rows, vocabulary] exists.
 */
import type { Dispatch, Floats, Op, Shape, Values } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { hasNativeHalf, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { isPackedWeight } from "../weightLayout/packedWeight.ts";
import type { Weight } from "../weightLayout/packedWeight.ts";
import { unpackRow, wordsPerRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { weightBinding } from "../weightLayout/weightReader.wgsl.ts";
import type { HeadArrays, HeadGradientArrays } from "./lmHeadLogProbs.cpu.ts";
import {
  headHiddenGradient,
  headStatistics,
  headWeightGradient,
  statisticsWidth,
} from "./lmHeadLogProbs.cpu.ts";
import { backwardText } from "./backward.wgsl.ts";
import { forwardText } from "./forward.wgsl.ts";
import { blockSize } from "./head.wgsl.ts";

/** How a head runs. */
export interface HeadAttrs {
  readonly hasReference: boolean;
  /** Arrays are read four values at a time, which needs a hidden size that is a multiple of 4. */
  readonly vectorised: boolean;
  /** Layout of the weight; in all but `f32` it is frozen and takes no gradient. */
  readonly layout: WeightLayout;
  /** Shaders may use 16-bit floats. */
  readonly isNativeHalf: boolean;
  /** Logits are softCap * tanh(logit / softCap), as in Gemma 2; 0 leaves them alone. */
  readonly softCap: number;
}

/** Tensors of a head: `hidden` and `reference` [rows, hidden], `weight` [vocabulary, hidden], `labels` int32 [rows]. */
export interface HeadInputs {
  readonly hidden: Tensor;
  /** A packed one is frozen. */
  readonly weight: Weight;
  /** Token that each row predicts; a label outside the vocabulary (such as -1) marks a row that is not scored. */
  readonly labels: Tensor;
  /** Final hidden states of the reference model for the same rows, read through the same head weight. */
  readonly reference?: Tensor;
  /** Squashes the logits to within plus and minus this; 0 or nothing leaves them alone. */
  readonly softCap?: number;
}

/** Attributes of a head over `width` hidden values: a plain one unless the options say otherwise. */
export function headAttrs(width: number, options: Partial<Omit<HeadAttrs, "vectorised">> = {}): HeadAttrs {
  const plain = { hasReference: false, layout: "f32", isNativeHalf: false, softCap: 0 } as const;
  return { ...plain, ...options, vectorised: width % 4 === 0 };
}

export { statisticColumn, statisticsWidth } from "./lmHeadLogProbs.cpu.ts";

function headBindings({ hasReference, vectorised, layout, isNativeHalf }: HeadAttrs) {
  const type = vectorised ? ("vec4<f32>" as const) : ("f32" as const);
  return [
    { name: "hidden", type },
    weightBinding({ name: "weight", layout, hasWholeQuads: vectorised, isNativeHalf }),
    { name: "labels", type: "i32" as const },
    ...(hasReference ? [{ name: "reference", type }] : []),
  ];
}

function backwardBindings(attrs: HeadAttrs) {
  return [
    ...headBindings(attrs),
    { name: "statistics", type: "f32" as const },
    { name: "upstream", type: "f32" as const },
  ];
}

interface HeadSizes {
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
}

function describe(shapes: readonly Shape[]): string {
  return shapes.map((shape) => `[${shape.join(", ")}]`).join(", ");
}

/** Sizes of a head; throws `ShapeError` when the shapes, in binding order, do not fit together. */
function sizesOf(shapes: readonly Shape[], { hasReference, vectorised, layout }: HeadAttrs): HeadSizes {
  const [rows, width] = shapes[0] ?? [];
  const [vocabulary] = shapes[1] ?? [];
  if (!rows || !width || !vocabulary) throw new ShapeError(`a head cannot combine ${describe(shapes)}`);
  const words = wordsPerRow(layout, width);
  const needed = [[rows, width], [vocabulary, words], [rows], ...(hasReference ? [[rows, width]] : [])];
  if (describe(shapes.slice(0, needed.length)) !== describe(needed)) {
    throw new ShapeError(`a head cannot combine ${describe(shapes)}, it needs ${describe(needed)}`);
  }
  if (vectorised && width % 4 !== 0) {
    throw new ShapeError(`a vectorised head needs a hidden size that is a multiple of 4, not ${width}`);
  }
  return { rows, width, vocabulary };
}

/** Sizes for the backward operations, whose last two inputs are the statistics and their gradients. */
function backwardSizesOf(shapes: readonly Shape[], attrs: HeadAttrs): HeadSizes {
  const sizes = sizesOf(shapes, attrs);
  for (const shape of shapes.slice(-2)) {
    if (shape[0] !== sizes.rows || shape[1] !== statisticsWidth) {
      throw new ShapeError(
        `head statistics are [${sizes.rows}, ${statisticsWidth}], not [${shape.join(", ")}]`,
      );
    }
  }
  return sizes;
}

function unpacked(words: Values, { width, vocabulary }: HeadSizes, layout: WeightLayout): Floats {
  const values = new Float32Array(vocabulary * width);
  for (let row = 0; row < vocabulary; row++) values.set(unpackRow(words, row, width, layout), row * width);
  return values;
}

function headArrays(inputs: readonly Values[], sizes: HeadSizes, attrs: HeadAttrs): HeadArrays {
  const { hasReference, layout, softCap } = attrs;
  const [hidden, weight, labels, reference] = inputs;
  const values = layout === "f32" ? (weight as Floats) : unpacked(weight!, sizes, layout);
  const base = { hidden: hidden as Floats, weight: values, labels: labels!, softCap, ...sizes };
  return hasReference ? { ...base, reference: reference as Floats } : base;
}

function gradientArrays(
  inputs: readonly Values[],
  shapes: readonly Shape[],
  attrs: HeadAttrs,
): HeadGradientArrays {
  const [statistics, upstream] = inputs.slice(-2);
  return {
    ...headArrays(inputs, backwardSizesOf(shapes, attrs), attrs),
    statistics: statistics as Floats,
    upstream: upstream as Floats,
  };
}

/** One workgroup per block, folded into y beyond 65,535. */
function dispatchBlocks(wgsl: string, blocked: number, rows: number): Dispatch {
  const blocks = Math.ceil(blocked / blockSize);
  const fold = 65_535;
  return { wgsl, uniforms: { rows }, workgroups: [Math.min(blocks, fold), Math.ceil(blocks / fold), 1] };
}

/** Gradient of the statistics with respect to the hidden states [rows, hidden]; logits are recomputed. */
export const lmHeadHiddenGradientOp: Op<HeadAttrs> = {
  name: "lmHeadHiddenGradient",
  inputs: backwardBindings,
  outputs: ({ vectorised }) => [{ name: "hiddenGradient", type: vectorised ? "vec4<f32>" : "f32" }],
  uniforms: { rows: "u32" },
  outputShapes: (shapes, attrs) => {
    const { rows, width } = backwardSizesOf(shapes, attrs);
    return [[rows, width]];
  },
  dispatch: (shapes, attrs) => {
    const sizes = backwardSizesOf(shapes, attrs);
    return dispatchBlocks(backwardText({ ...sizes, ...attrs }, "rows"), sizes.rows, sizes.rows);
  },
  cpu: (inputs, outputs, shapes, attrs) => {
    headHiddenGradient(gradientArrays(inputs, shapes, attrs), outputs[0]!);
  },
};

/**
 * Gradient of the statistics with respect to the head weight [vocabulary, hidden], summed over the rows in a fixed
 * order. The weight must be plain (layout `f32`). The reference distribution counts as a constant although it is read
 * through the same weight.
 */
export const lmHeadWeightGradientOp: Op<HeadAttrs> = {
  name: "lmHeadWeightGradient",
  inputs: backwardBindings,
  outputs: ({ vectorised }) => [{ name: "weightGradient", type: vectorised ? "vec4<f32>" : "f32" }],
  uniforms: { rows: "u32" },
  outputShapes: (shapes, attrs) => {
    const { vocabulary, width } = backwardSizesOf(shapes, attrs);
    return [[vocabulary, width]];
  },
  dispatch: (shapes, attrs) => {
    const sizes = backwardSizesOf(shapes, attrs);
    return dispatchBlocks(backwardText({ ...sizes, ...attrs }, "vocabulary"), sizes.vocabulary, sizes.rows);
  },
  cpu: (inputs, outputs, shapes, attrs) => {
    headWeightGradient(gradientArrays(inputs, shapes, attrs), outputs[0]!);
  },
};

/** Statistics [rows, 6] of the scored rows, columns as in `statisticColumn`. */
export const lmHeadLogProbsOp: Op<HeadAttrs> = {
  name: "lmHeadLogProbs",
  inputs: headBindings,
  outputs: () => [{ name: "statistics", type: "f32" }],
  uniforms: { rows: "u32" },
  outputShapes: (shapes, attrs) => [[sizesOf(shapes, attrs).rows, statisticsWidth]],
  dispatch: (shapes, attrs) => {
    const sizes = sizesOf(shapes, attrs);
    return dispatchBlocks(forwardText({ ...sizes, ...attrs }), sizes.rows, sizes.rows);
  },
  cpu: (inputs, outputs, shapes, attrs) => {
    headStatistics(headArrays(inputs, sizesOf(shapes, attrs), attrs), outputs[0]!);
  },
  gradient: (upstreams, inputs, outputs, attrs) => {
    const all = [...inputs, ...outputs, ...upstreams];
    const hidden = (): Tensor => run(lmHeadHiddenGradientOp, all, attrs)[0]!;
    if (attrs.layout !== "f32") return { hidden };
    return { hidden, weight: () => run(lmHeadWeightGradientOp, all, attrs)[0]! };
  },
};

/**
 * Statistics of the scored rows [rows, 6]: log-probability of the label (nats), entropy (nats),
 * KL(reference || policy) in nats (0 without a reference), mean logit over the vocabulary, then log-sum-exp of the
 * policy and of the reference, which the backward pass reads. All columns pass gradient to `hidden` and `weight`; the
 * reference is a constant, and so is a packed weight. With a soft cap every logit is meant after it. Rows whose label is outside the vocabulary are 0 and take no gradient. Source: arXiv 2404.11999 for the sequential KL.
 * Throws `ShapeError` when the tensors do not fit together.
 */
export function lmHeadLogProbs(head: HeadInputs): Tensor {
  const { operands, attrs } = operandsOf(head);
  return run(lmHeadLogProbsOp, operands, attrs)[0]!;
}

/** Gradient of statistics that a head gave, with respect to its hidden states: [rows, hidden]. */
export function lmHeadHiddenGradient(head: HeadInputs, statistics: Tensor, upstream: Tensor): Tensor {
  const { operands, attrs } = operandsOf(head);
  return run(lmHeadHiddenGradientOp, [...operands, statistics, upstream], attrs)[0]!;
}

/** The same with respect to its weight: [vocabulary, hidden]. */
export function lmHeadWeightGradient(head: HeadInputs, statistics: Tensor, upstream: Tensor): Tensor {
  const { operands, attrs } = operandsOf(head);
  return run(lmHeadWeightGradientOp, [...operands, statistics, upstream], attrs)[0]!;
}

function operandsOf({ hidden, weight, labels, reference, softCap = 0 }: HeadInputs) {
  const packed = isPackedWeight(weight) ? weight : { words: weight, layout: "f32" as const };
  const attrs = headAttrs(hidden.shape[1] ?? 0, {
    hasReference: reference !== undefined,
    layout: packed.layout,
    isNativeHalf: packed.layout === "f16" && hasNativeHalf(),
    softCap,
  });
  return { operands: [hidden, packed.words, labels, ...(reference ? [reference] : [])], attrs };
}
