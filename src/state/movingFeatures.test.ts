import { beforeEach, expect, it } from "vitest";
import { FeatureHistory, misfit } from "./movingFeatures.ts";

let history: FeatureHistory;

const say = (step: number, chosen: number[], rejected: number[], saes = [{ id: "story-2", width: 3 }]) => {
  history.add(step, { saes, chosen: Float32Array.from(chosen), rejected: Float32Array.from(rejected) });
};

beforeEach(() => {
  history = new FeatureHistory();
});

it("orders features by how far their mean over both answers moved from the first evaluation", () => {
  expect(history.moving([])).toEqual([]);
  say(0, [1, 0, 2, 1], [1, 0, 2, 1]);
  expect(history.moving([])).toEqual([]);
  say(10, [5, 5, 5, 5], [5, 5, 5, 5]);
  // Means 2, 0.25, 1 and 1: changes of 1, 0.25, −1 and 0.
  say(20, [3, 0.5, 1, 1], [1, 0, 1, 1]);
  expect(history.moving([])).toEqual([
    { feature: 0, change: 1, values: [1, 5, 2], isHeld: false },
    { feature: 2, change: -1, values: [2, 5, 1], isHeld: false },
    { feature: 1, change: 0.25, values: [0, 5, 0.25], isHeld: false },
  ]);
});

it("keeps held features in the list, flat as they may be, and drops the least moved for them", () => {
  say(0, [0, 0, 0, 0], [0, 0, 0, 0]);
  say(10, [4, 2, 1, 0], [4, 2, 1, 0]);
  const shown = history.moving([3, 99], 2);
  expect(shown.map(({ feature, change, isHeld }) => [feature, change, isHeld])).toEqual([
    [0, 4, false],
    [3, 0, true],
  ]);
});

it("goes back to a step, and starts over with other autoencoders", () => {
  say(0, [0], [0]);
  say(10, [2], [2]);
  history.rewindTo(5);
  expect(history.changeOf(0)).toBe(0);
  say(20, [1], [1]);
  expect(history.changeOf(0)).toBe(1);
  say(30, [9], [9], [{ id: "another", width: 1 }]);
  expect(history.changeOf(0)).toBe(0);
  expect(history.saes).toEqual([{ id: "another", width: 1 }]);
});

it("warns from three times the first reconstruction error on", () => {
  const at = (...values: (number | undefined)[]) =>
    misfit(
      values.map((value) => ({ metrics: value === undefined ? {} : { "eval_features/unexplained": value } })),
    );
  expect(at(0.1, 0.29)).toBeNull();
  expect(at(0.125, 1, 0.375)).toBe(3);
  expect(at(0.125, 0.375, 0.25)).toBeNull();
  expect(at()).toBeNull();
  expect(at(undefined, 1)).toBeNull();
  expect(at(0, 1)).toBeNull();
});

it("tells whose a feature is where a run has several autoencoders", () => {
  history.clear();
  say(
    0,
    [1, 2, 3],
    [1, 2, 3],
    [
      { id: "story-0", width: 2 },
      { id: "story-2", width: 1 },
    ],
  );
  expect([0, 1, 2, 3].map((feature) => history.placeOf(feature))).toEqual([
    { sae: "story-0", feature: 0 },
    { sae: "story-0", feature: 1 },
    { sae: "story-2", feature: 0 },
    null,
  ]);
});
