import { variant } from "../../tensor/variant.ts";
import { rmsNormDgOp, rmsNormDxOp, rmsNormOp } from "./rmsNorm.ts";

const matrix = [5, 96];

/** Texts to compile. */
export const variants = [
  variant(rmsNormOp, [matrix, [96]], { epsilon: 1e-5 }),
  variant(rmsNormDxOp, [matrix, [96], [5], matrix], {}),
  variant(rmsNormDgOp, [matrix, [5], matrix], {}),
];
