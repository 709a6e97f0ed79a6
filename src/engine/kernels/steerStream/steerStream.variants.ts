import { everyChoice, variant } from "../../tensor/variant.ts";
import { steerStreamOp, type SteerAttrs } from "./steerStream.ts";

const choices = everyChoice<Pick<SteerAttrs, "mode" | "isVector" | "isSerial">>({
  mode: ["add", "clamp"],
  isVector: [true, false],
  isSerial: [true, false],
});

/** Texts to compile. */
export const variants = choices.map((choice) => {
  const inputSize = choice.isVector ? 64 : 37;
  const encoder = choice.mode === "clamp" ? [[203, inputSize], [203], [203]] : [];
  const shapes = [[9, inputSize], [9], [203, inputSize], ...encoder];
  return variant(steerStreamOp, shapes, { ...choice, feature: 7, value: 2, skippedToken: 1 });
});
