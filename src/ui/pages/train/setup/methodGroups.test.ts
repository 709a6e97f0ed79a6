import { expect, it } from "vitest";
import { testDescription } from "../../../../state/testDescription.ts";
import { groupMethods, needsInWords, referencePairs, whyNotFound } from "./methodGroups.ts";

const { objectives, presets } = testDescription;
const card = (wanted: string) => objectives.find(({ id }) => id === wanted)!;

it("orders groups as the page does, whatever the order of the list", () => {
  const groups = groupMethods(objectives.toReversed());
  expect(groups.map(({ id, methods }) => [id, methods.map(({ label }) => label)])).toEqual([
    ["imitate", ["SFT"]],
    ["reference", ["DPO"]],
    ["reference-free", ["SimPO"]],
    ["token", ["TDPO-2"]],
    ["weighted", ["Weighted DPO"]],
  ]);
});

it("finds methods by every word of a filter", () => {
  const found = (filter: string) =>
    groupMethods(objectives, filter).flatMap(({ methods }) => methods.map(({ id }) => id));
  expect(found("dpo")).toEqual(["dpo", "tdpo2", "wdpo"]);
  expect(found(" Weighted  dpo ")).toEqual(["wdpo"]);
  expect(found("without one")).toEqual(["simpo"]);
  expect(found("TDPO₂")).toEqual(["tdpo2"]);
  expect(found("tdpo2")).toEqual(["tdpo2"]);
  expect(found("token")).toEqual(["tdpo2"]);
  expect(found("own column")).toEqual(["wdpo"]);
  expect(found("ppo")).toEqual([]);
});

it("says of a method that is not offered why it is not", () => {
  const { notOffered } = testDescription;
  expect(whyNotFound(notOffered, "fpo")).toBe("FPO compares features, and there are none.");
  expect(whyNotFound(notOffered, "F-P-O ")).toBe("FPO compares features, and there are none.");
  expect(whyNotFound(notOffered, "ppo")).toBeNull();
});

it("says what a method needs in words and bytes", () => {
  expect(needsInWords(card("dpo"), { referenceBytes: 4096 }, 512)).toEqual({
    reference: "two log-probabilities a pair: 8 B a pair, 4.1 kB in all",
    data: null,
  });
  expect(needsInWords(card("simpo"), { referenceBytes: 4096 }, 512)).toEqual({
    reference: "nothing",
    data: null,
  });
  expect(needsInWords(card("wdpo"), null, 512)).toEqual({
    reference: "two log-probabilities a pair",
    data: "judge scores of both answers",
  });
});

it("counts a pair's reference once, however often a run comes back to it", () => {
  const data = { trainPairs: 100, heldoutPairs: 30 };
  const config = { ...presets[0]!.config, batchPairs: 8, accumulationSteps: 2, evalPairs: 20 };
  expect(referencePairs({ ...config, steps: 3 }, data)).toBe(48 + 20);
  expect(referencePairs({ ...config, steps: 60 }, data)).toBe(100 + 20);
  expect(referencePairs(config, null)).toBe(0);
});
