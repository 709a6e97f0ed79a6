import { variant } from "../../tensor/variant.ts";
import { accumulateOp, adamwStepOp, sumSquaresOp } from "./adamw.ts";
import { accumulateAtOp, adamwClipOp, gradientSquaresOp } from "./adamwClip.ts";

const attrs = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  biasCorrection1: 0.1,
  biasCorrection2: 0.001,
};
const parameters = [[5000], [5000], [5000], [5000], [5]];

/** Texts to compile. */
export const variants = [
  variant(sumSquaresOp, [[5000], [5]], { slot: 1, slots: 2 }),
  variant(adamwStepOp, parameters, attrs),
  variant(accumulateOp, [[5000], [5000]], { scale: 0.5 }),
  variant(gradientSquaresOp, [[5000]], {}),
  variant(adamwClipOp, parameters, attrs),
  variant(accumulateAtOp, [[5000], [37]], { offset: 3 }),
];
