import { expect, it } from "vitest";
import { testAnswers } from "../../../state/testTrainer.ts";
import { activationsOf, promptList, unlistedSentence } from "./promptFigures.ts";

// Activations [token · feature] of two features at three tokens.
const answer = {
  ...testAnswers.promptFeatures,
  features: Int32Array.of(7, 1),
  names: ["laughed", "cried"],
  activations: Float32Array.of(0, 0, 0.5, 1, 4, 2),
};
const table = { ...testAnswers.featureTable, density: Float32Array.from({ length: 8 }, (_, i) => i / 8) };

it("reads a feature's column, and zeros for one that is not active", () => {
  expect(activationsOf(answer, 7)).toEqual([0, 0.5, 4]);
  expect(activationsOf(answer, 1)).toEqual([0, 1, 2]);
  expect(activationsOf(answer, 3)).toEqual([0, 0, 0]);
});

it("sorts by strength or by tokens, and hides what is too dense", () => {
  const numbers = (order: "strength" | "frequency", densest: number) =>
    promptList(answer, table, { order, densest }).map(({ feature }) => feature);
  expect(numbers("strength", 1)).toEqual([7, 1]);
  // Both are active at two tokens: the smaller number comes first.
  expect(numbers("frequency", 1)).toEqual([1, 7]);
  expect(numbers("strength", 0.125)).toEqual([1]);
  expect(promptList(answer, null, { order: "strength", densest: 0 })).toHaveLength(2);
  expect(promptList(answer, table, { order: "strength", densest: 1 })[0]).toEqual({
    feature: 7,
    name: "laughed",
    strongest: 4,
    count: 2,
    density: table.density[7],
  });
});

it("says that a text leaves a feature alone only where every active feature is listed", () => {
  const listing = (count: number) => unlistedSentence({ features: new Int32Array(count) });
  expect(listing(255)).toBe("This text does not set it off.");
  expect(listing(256)).toBe("Not among the 256 features that this text sets off most.");
});
