import { everyChoice, variant } from "../../tensor/variant.ts";
import { weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import {
  headAttrs,
  lmHeadHiddenGradientOp,
  lmHeadLogProbsOp,
  lmHeadWeightGradientOp,
} from "./lmHeadLogProbs.ts";

const choices = everyChoice({
  layout: weightLayouts,
  isNativeHalf: [false, true],
  hasReference: [false, true],
  softCap: [0, 30],
  width: [96, 90],
});

/** Texts to compile. */
export const variants = choices.flatMap(({ width, ...options }) => {
  const attrs = headAttrs(width, options);
  const reference = options.hasReference ? [[5, width]] : [];
  const inputs = [[5, width], [37, wordsPerRow(options.layout, width)], [5], ...reference];
  const backward = [...inputs, [5, 6], [5, 6]];
  return [
    variant(lmHeadLogProbsOp, inputs, attrs),
    variant(lmHeadHiddenGradientOp, backward, attrs),
    // A packed weight does not train.
    ...(options.layout === "f32" ? [variant(lmHeadWeightGradientOp, backward, attrs)] : []),
  ];
});
