import { createRandom, permutation } from "../random.ts";
import { alsoMadeBy, swapped } from "./setRow.ts";
import { needPairs, type StepOf } from "./stepContext.ts";

/** Swaps the answers of a drawn share of the training pairs, with the scores that belong to them: label noise. */
export const flip: StepOf<"flip"> = (set, { share, seed }) => {
  const { train } = set;
  needPairs(train, "swap");
  const count = Math.round(share * train.length);
  const drawn = new Set(permutation(train.length, createRandom(seed)).slice(0, count));
  return {
    set: {
      ...set,
      train: train.map((row, index) =>
        drawn.has(index) ? { ...swapped(row), madeBy: alsoMadeBy(row, "answers swapped") } : row,
      ),
    },
    sentence: `Swapped the answers of ${count} of ${train.length} training pairs.`,
  };
};
