import { everyChoice, variant } from "../../tensor/variant.ts";
import type { MlpActGradientAttrs } from "./mlpActGradient.ts";
import { mlpActGradientOp } from "./mlpActGradient.ts";

const choices = everyChoice<MlpActGradientAttrs>({
  act: ["silu", "gelu", "geluTanh"],
  rank: [0, 1, 8],
  aOffset: [3],
  isVector: [true, false],
});

/** Texts to compile. */
export const variants = choices.map((attrs) => {
  const width = attrs.isVector ? 96 : 90;
  const adapter = attrs.rank > 0 ? [[5, attrs.rank], [1000]] : [];
  return variant(mlpActGradientOp, [[5, width], ...adapter, [5, 2 * width]], attrs);
});
