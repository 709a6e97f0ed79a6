import { createRandom, permutation } from "../random.ts";
import { alsoMadeBy, swapped } from "./setRow.ts";
import { DataStepError, type StepOf } from "./stepContext.ts";

/** Swaps the answers of a drawn share of the training pairs, with the scores that belong to them: label noise. */
export const flip: StepOf<"flip"> = (set, { share, seed }) => {
  const { train } = set;
  const single = train.filter(({ isSingle }) => isSingle === true).length;
  if (single > 0) {
    throw new DataStepError(
      `${single} of ${train.length} training rows have one answer, so there is nothing to swap: take the step out.`,
    );
  }
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
