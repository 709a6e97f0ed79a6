import { variant } from "../../tensor/variant.ts";
import { layerNormDgOp, layerNormDxOp, layerNormOp } from "./layerNorm.ts";

const matrix = [5, 96];

/** Texts to compile. */
export const variants = [
  variant(layerNormOp, [matrix, [96], [96]], { epsilon: 1e-5 }),
  variant(layerNormDxOp, [matrix, [96], [5, 2], matrix], {}),
  variant(layerNormDgOp, [matrix, [5, 2], matrix], {}),
];
