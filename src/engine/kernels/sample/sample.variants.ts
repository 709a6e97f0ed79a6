import { everyChoice, variant } from "../../tensor/variant.ts";
import { placeColumnsOp } from "./placeColumns.ts";
import { sampleOp } from "./sample.ts";

const choices = everyChoice({
  temperature: [0, 0.7],
  topK: [0, 5],
  topP: [1, 0.9],
  repetitionPenalty: [1, 1.2],
  softCap: [0, 30],
  isSoftware: [false, true],
});

const samples = choices.map((choice) => {
  const streams = choice.temperature === 0 ? [] : [[3]];
  const seen = choice.repetitionPenalty === 1 ? [] : [[3, 2]];
  return variant(sampleOp, [[3, 41], ...streams, [3], ...seen], { ...choice, seed: 1, step: 0 });
});

/** Texts to compile. */
export const variants = [
  ...samples,
  variant(
    placeColumnsOp,
    [
      [3, 41],
      [3, 20],
    ],
    { first: 21 },
  ),
];
