import { variant } from "../../tensor/variant.ts";
import { geluGradientOp, geluOp } from "./gelu.ts";

const matrix = [5, 7];

/** Texts to compile. */
export const variants = (["gelu", "geluTanh"] as const).flatMap((act) => [
  variant(geluOp, [matrix], { act }),
  variant(geluGradientOp, [matrix, matrix], { act }),
]);
