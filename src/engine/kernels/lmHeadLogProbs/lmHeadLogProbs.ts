/**
 * The language-model head over the scored rows: log-probability of the label, entropy, KL to a reference, mean logit
 * and some more, computed online over the vocabulary so that no buffer of [rows, vocabulary] exists. A weight in shards, and one
 * with so much work that a dispatch of it would take long, is read in parts: see `headParts.ts`.
 */
import type { Op } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { asPackedWeight, isShardedWeight } from "../weightLayout/packedWeight.ts";
import { headHiddenGradient, headStatistics, headWeightGradient } from "./lmHeadLogProbs.cpu.ts";
import { statisticsWidth } from "./lmHeadLogProbs.cpu.ts";
import { backwardText } from "./backward.wgsl.ts";
import { forwardText } from "./forward.wgsl.ts";
import type { HeadAttrs, HeadInputs } from "./headInputs.ts";
import {
  backwardBindings,
  backwardSizesOf,
  dispatchBlocks,
  gradientArrays,
  headArrays,
  headBindings,
  operandsOf,
  sizesOf,
} from "./headInputs.ts";
import { hiddenGradientInParts, partsOf, statisticsInParts, weightGradientInParts } from "./headParts.ts";

export { headAttrs } from "./headInputs.ts";
export type { HeadAttrs, HeadInputs } from "./headInputs.ts";
export { statisticColumn, statisticsWidth } from "./lmHeadLogProbs.cpu.ts";

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
    const { rows } = sizes;
    return dispatchBlocks(backwardText({ ...sizes, ...attrs, isPart: false }, "rows"), rows, { rows });
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
    const text = backwardText({ ...sizes, ...attrs, isPart: false }, "vocabulary");
    return dispatchBlocks(text, sizes.vocabulary, { rows: sizes.rows });
  },
  cpu: (inputs, outputs, shapes, attrs) => {
    headWeightGradient(gradientArrays(inputs, shapes, attrs), outputs[0]!);
  },
};

/** Statistics [rows, statisticsWidth] of the scored rows, columns as in `statisticColumn`. */
export const lmHeadLogProbsOp: Op<HeadAttrs> = {
  name: "lmHeadLogProbs",
  inputs: headBindings,
  outputs: () => [{ name: "statistics", type: "f32" }],
  uniforms: { rows: "u32" },
  outputShapes: (shapes, attrs) => [[sizesOf(shapes, attrs).rows, statisticsWidth]],
  dispatch: (shapes, attrs) => {
    const sizes = sizesOf(shapes, attrs);
    const { rows } = sizes;
    return dispatchBlocks(forwardText({ ...sizes, ...attrs, isPart: false }), rows, { rows });
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
 * Statistics of the scored rows [rows, statisticsWidth]: log-probability of the label (nats), entropy (nats),
 * KL(reference || policy) in nats (0 without a reference), mean logit over the vocabulary, then log-sum-exp of the
 * policy and of the reference, which the backward pass reads. These columns pass gradient to `hidden` and `weight`; the
 * reference is a constant, and so is a weight that is packed or in shards. What follows passes none, whatever upstream
 * it is given: the log of the summed squares of the probabilities, KL(policy || reference) in nats (0 without a
 * reference), and 1 where no logit is above the label's. With a soft cap every logit is meant after it. Rows whose label is outside the vocabulary are 0 and take no gradient. Source: arXiv 2404.11999 for the
 * sequential KL. A head in parts passes nothing to a tape, which then throws: ask for its gradients by the functions
 * below. Throws `ShapeError` when the tensors do not fit together.
 */
export function lmHeadLogProbs(head: HeadInputs): Tensor {
  const parts = partsOf(head, 1);
  if (parts.length > 1) return statisticsInParts(head, parts);
  const { operands, attrs } = operandsOf(head, parts[0]!.weight);
  return run(lmHeadLogProbsOp, operands, attrs)[0]!;
}

/** Gradient of statistics that a head gave, with respect to its hidden states: [rows, hidden]. */
export function lmHeadHiddenGradient(head: HeadInputs, statistics: Tensor, upstream: Tensor): Tensor {
  const parts = partsOf(head, 2);
  if (parts.length > 1) return hiddenGradientInParts(head, parts, { statistics, upstream });
  const { operands, attrs } = operandsOf(head, parts[0]!.weight);
  return run(lmHeadHiddenGradientOp, [...operands, statistics, upstream], attrs)[0]!;
}

/** The same with respect to its weight: [vocabulary, hidden]. Throws `ShapeError` for a weight in shards. */
export function lmHeadWeightGradient(head: HeadInputs, statistics: Tensor, upstream: Tensor): Tensor {
  if (isShardedWeight(head.weight)) {
    const { shards } = head.weight;
    throw new ShapeError(`a head in ${shards.length} shards is frozen: it has no gradient of its weight`);
  }
  const parts = partsOf(head, 2);
  if (parts.length > 1) return weightGradientInParts(head, parts, { statistics, upstream });
  const { operands, attrs } = operandsOf(head, asPackedWeight(head.weight));
  return run(lmHeadWeightGradientOp, [...operands, statistics, upstream], attrs)[0]!;
}
