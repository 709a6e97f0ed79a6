import { expect, it } from "vitest";
import { testDescription } from "../../../../state/testDescription.ts";
import { groupMethods, needsInWords } from "./methodGroups.ts";

const { objectives } = testDescription;
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

it("says what a method needs in words and bytes", () => {
  const bytes = { referenceBytes: 4096, referenceBytesPerPair: 16 };
  expect(needsInWords(card("dpo"), bytes)).toEqual({
    reference: "two log-probabilities a pair: 16 B a training pair, 4.1 kB in all",
    data: null,
  });
  expect(needsInWords(card("simpo"), bytes)).toEqual({ reference: "nothing", data: null });
  expect(needsInWords(card("dpo"), { ...bytes, referenceBytesPerPair: 0 }).reference).toBe(
    "two log-probabilities a pair: computed in every step",
  );
  expect(needsInWords(card("wdpo"), null)).toEqual({
    reference: "two log-probabilities a pair",
    data: "judge scores of both answers",
  });
});
