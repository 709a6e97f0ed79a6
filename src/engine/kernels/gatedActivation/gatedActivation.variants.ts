import { variant } from "../../tensor/variant.ts";
import { gatedActivationGradientOp, gatedActivationOp } from "./gatedActivation.ts";

const matrix = [5, 7];

/** Texts to compile. */
export const variants = (["silu", "gelu", "geluTanh"] as const).flatMap((act) => [
  variant(gatedActivationOp, [matrix, matrix], { act }),
  variant(gatedActivationGradientOp, [matrix, matrix, matrix], { act }),
]);
