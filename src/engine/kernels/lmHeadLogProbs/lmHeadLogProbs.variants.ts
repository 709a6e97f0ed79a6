import { everyChoice, variant } from "../../tensor/variant.ts";
import { weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import {
  lmHeadFinishOp,
  lmHeadHiddenGradientPartOp,
  lmHeadPartOp,
  lmHeadWeightGradientPartOp,
} from "./headParts.ts";
import { runningWidth } from "./headParts.cpu.ts";
import {
  headAttrs,
  lmHeadHiddenGradientOp,
  lmHeadLogProbsOp,
  lmHeadWeightGradientOp,
  statisticsWidth,
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
    const backward = [...inputs, [5, statisticsWidth], [5, statisticsWidth]];
    const part = { ...attrs, first: 37, start: 9, end: 30, vocabulary: 74 };
    return [
      variant(lmHeadLogProbsOp, inputs, attrs),
      variant(lmHeadHiddenGradientOp, backward, attrs),
      variant(lmHeadPartOp, [...inputs, [5, runningWidth(options.hasReference)]], part),
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
    variant(lmHeadFinishOp, [[5, runningWidth(hasReference)], [5]], { hasReference, vocabulary: 74 }),
  ),
];
