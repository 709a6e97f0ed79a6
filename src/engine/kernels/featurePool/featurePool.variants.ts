import { everyChoice, variant } from "../../tensor/variant.ts";
import { featurePoolOp } from "./featurePool.ts";
import { featurePoolGradientOp } from "./featurePoolGradient.ts";

const choices = everyChoice<{ isVector: boolean; isSerial: boolean }>({
  isVector: [true, false],
  isSerial: [true, false],
});

/** Texts to compile. */
export const variants = choices.flatMap((attrs) => {
  const inputSize = attrs.isVector ? 64 : 37;
  const encoder = [[203, inputSize], [203], [203]];
  const stream = [9, inputSize];
  return [
    variant(featurePoolOp, [stream, [7], [2, 2], ...encoder], attrs),
    variant(featurePoolGradientOp, [stream, stream, [9, 2], [2, 70], [2, 70], ...encoder], attrs),
  ];
});
