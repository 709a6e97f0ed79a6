import { expect, it } from "vitest";
import { objectives } from "../losses/index.ts";
import { tinyPairs } from "../testing/tinyModel.ts";
import { roundWeights } from "./roundWeights.ts";

const pairs = tinyPairs(2).map((pair, place) => ({ ...pair, rewardGap: [1, 3][place] ?? 0 }));
const linear = { beta: 0.1, beta2: 1, weighting: 1, normalise: 0 };

it("is of all pairs together: weights 1 and 3 are as good as 1.6 equal ones", () => {
  // (1 + 3)² / (1 + 9)
  expect(roundWeights(objectives.wdpo, linear, pairs)).toEqual({ "weights/mean": 2, "weights/ess": 1.6 });
});

it("says nothing where an objective gives no weights, or measures what they depend on", () => {
  expect(roundWeights(objectives.dpo, { beta: 0.1 }, pairs)).toEqual({});
  expect(roundWeights(objectives.wpo, { beta: 0.1, clamp: 0, normalise: 0 }, pairs)).toEqual({});
  expect(roundWeights(objectives.wdpo, linear, tinyPairs(2))).toEqual({});
});
