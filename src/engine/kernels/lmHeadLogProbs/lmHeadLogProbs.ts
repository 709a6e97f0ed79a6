/**
 * The language-model head over the scored rows: log-probability of the label, entropy, KL to a reference and mean
 * logit, computed online over the vocabulary so that no buffer of [rows, vocabulary] exists.
 */
import type { Dispatch, Floats, Op, Shape, Values } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
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

/** How a head runs: `vectorised` needs a hidden size that is a multiple of 4. */
export interface HeadAttrs {
  readonly hasReference: boolean;
  readonly vectorised: boolean;
}

/** Tensors of a head: `hidden` and `reference` [rows, hidden], `weight` [vocabulary, hidden], `labels` int32 [rows]. */
export interface HeadInputs {
  readonly hidden: Tensor;
  readonly weight: Tensor;
  /** Token that each row predicts; a label outside the vocabulary (such as -1) marks a row that is not scored. */
  readonly labels: Tensor;
  /** Final hidden states of the reference model for the same rows, read through the same head weight. */
  readonly reference?: Tensor;
}

export { statisticColumn, statisticsWidth } from "./lmHeadLogProbs.cpu.ts";

function headBindings({ hasReference, vectorised }: HeadAttrs) {
  const type = vectorised ? ("vec4<f32>" as const) : ("f32" as const);
  return [
    { name: "hidden", type },
    { name: "weight", type },
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
function sizesOf(shapes: readonly Shape[], { hasReference, vectorised }: HeadAttrs): HeadSizes {
  const [rows, width] = shapes[0] ?? [];
  const [vocabulary] = shapes[1] ?? [];
  if (!rows || !width || !vocabulary) throw new ShapeError(`a head cannot combine ${describe(shapes)}`);
  const needed = [[rows, width], [vocabulary, width], [rows], ...(hasReference ? [[rows, width]] : [])];
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

function headArrays(inputs: readonly Values[], sizes: HeadSizes, { hasReference }: HeadAttrs): HeadArrays {
  const [hidden, weight, labels, reference] = inputs;
  const base = { hidden: hidden as Floats, weight: weight as Floats, labels: labels!, ...sizes };
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
export const lmHeadHiddenGradient: Op<HeadAttrs> = {
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
 * order. The reference distribution counts as a constant although it is read through the same weight.
 */
export const lmHeadWeightGradient: Op<HeadAttrs> = {
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
    return {
      hidden: () => run(lmHeadHiddenGradient, all, attrs)[0]!,
      weight: () => run(lmHeadWeightGradient, all, attrs)[0]!,
    };
  },
};

/**
 * Statistics of the scored rows [rows, 6]: log-probability of the label (nats), entropy (nats),
 * KL(reference || policy) in nats (0 without a reference), mean logit over the vocabulary, then log-sum-exp of the
 * policy and of the reference, which the backward pass reads. All columns pass gradient to `hidden` and `weight`; the
 * reference is a constant. Rows whose label is outside the vocabulary are 0 and take no gradient. Source: arXiv 2404.11999 for the sequential KL.
 * Throws `ShapeError` when the tensors do not fit together.
 */
export function lmHeadLogProbs({ hidden, weight, labels, reference }: HeadInputs): Tensor {
  const attrs = { hasReference: reference !== undefined, vectorised: (hidden.shape[1] ?? 0) % 4 === 0 };
  const inputs = reference ? [hidden, weight, labels, reference] : [hidden, weight, labels];
  return run(lmHeadLogProbsOp, inputs, attrs)[0]!;
}
