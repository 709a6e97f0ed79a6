import { expect, it } from "vitest";
import type { FeatureTable } from "../worker/protocol.ts";
import { findFeatures, type FeatureQuery } from "./featureList.ts";
import { testAnswers } from "./testTrainer.ts";

const table: FeatureTable = {
  ...testAnswers.featureTable,
  names: ["laughed", "cried", "", "dog"],
  density: Float32Array.of(0.02, 0.3, 0, 0.1),
  max: Float32Array.of(4, 2, 0, 4),
  chosenMean: Float32Array.of(0.3, 0.1, 0, 0.2),
  rejectedMean: Float32Array.of(0.1, 0.4, 0, 0.2),
};
const everything: FeatureQuery = { text: "", order: "number", favoursChosen: false, withSilent: true };
const find = (query: Partial<FeatureQuery>, changes = new Map<number, number>(), names = {}) =>
  findFeatures({ table, names, changes }, { ...everything, ...query });

it("sorts by strength, frequency, size of the change and number, equal ones by number", () => {
  expect(find({ order: "max" })).toEqual([0, 3, 1, 2]);
  expect(find({ order: "density" })).toEqual([1, 3, 0, 2]);
  const changes = new Map([
    [0, 0.1],
    [1, -0.5],
  ]);
  expect(find({ order: "change" }, changes)).toEqual([1, 0, 2, 3]);
  expect(find({})).toEqual([0, 1, 2, 3]);
});

it("searches the names people gave before those that tokens suggest", () => {
  expect(find({ text: " Laugh " })).toEqual([0]);
  expect(find({ text: "joy" }, new Map(), { 0: "Joy" })).toEqual([0]);
  expect(find({ text: "laugh" }, new Map(), { 0: "Joy" })).toEqual([]);
});

it("finds a feature by its number first, even a silent one that the filters hide", () => {
  expect(find({ text: "#2", withSilent: false })).toEqual([2]);
  expect(find({ text: "2", favoursChosen: true })).toEqual([2]);
  expect(find({ text: "9" })).toEqual([]);
});

it("leaves out silent features, and those that are not stronger on chosen answers", () => {
  expect(find({ withSilent: false })).toEqual([0, 1, 3]);
  expect(find({ favoursChosen: true })).toEqual([0]);
});
