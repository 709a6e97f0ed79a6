import { everyChoice, variant } from "../../tensor/variant.ts";
import { weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import {
  lmHeadFinishOp,
  lmHeadHiddenGradientPartOp,
  lmHeadPartOp,
  lmHeadWeightGradientPartOp,
} from "./headParts.ts";
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
export const variants = [
  ...choices.flatMap(({ width, ...options }) => {
    const attrs = headAttrs(width, options);
    const reference = options.hasReference ? [[5, width]] : [];
    const inputs = [[5, width], [37, wordsPerRow(options.layout, width)], [5], ...reference];
    const backward = [...inputs, [5, 6], [5, 6]];
    const part = { ...attrs, first: 37, start: 9, end: 30, vocabulary: 74 };
    return [
      variant(lmHeadLogProbsOp, inputs, attrs),
      variant(lmHeadHiddenGradientOp, backward, attrs),
      variant(lmHeadPartOp, [...inputs, [5, options.hasReference ? 8 : 5]], part),
      variant(lmHeadHiddenGradientPartOp, [...backward, [5, width]], part),
      // A packed weight does not train.
      ...(options.layout === "f32"
        ? [
            variant(lmHeadWeightGradientOp, backward, attrs),
            variant(lmHeadWeightGradientPartOp, [...backward, [37, width]], part),
          ]
        : []),
    ];
  }),
  ...[true, false].map((hasReference) =>
    variant(lmHeadFinishOp, [[5, hasReference ? 8 : 5], [5]], { hasReference, vocabulary: 74 }),
  ),
];
