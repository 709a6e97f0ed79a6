import { variant } from "../../tensor/variant.ts";
import { accumulateAtOp, adamwClipOp, gradientSquaresOp } from "./adamw.ts";

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
  variant(gradientSquaresOp, [[5000]], {}),
  variant(adamwClipOp, parameters, attrs),
  variant(accumulateAtOp, [[5000], [37]], { offset: 3 }),
];
