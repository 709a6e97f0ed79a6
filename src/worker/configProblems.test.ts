import { expect, it } from "vitest";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { tinyPairs } from "../engine/testing/tinyModel.ts";
import { defaultConfig, type RunConfig } from "../engine/training/config.ts";
import { needProblems } from "./configProblems.ts";

const pairs = tinyPairs(4);

const told = (changes: Partial<RunConfig>, data: readonly TokenPair[] = pairs) =>
  needProblems({ ...defaultConfig, ...changes }, data).map(({ field, message }) => [field, message]);

it("tells of a missing input at the method that reads it, with a remedy", () => {
  const message =
    'DPO with weights reads the column "weight", and these pairs have none: open a .jsonl file that has it, or choose another method.';
  expect(told({ method: "wdpo_column" })).toEqual([["method", message]]);
  expect(told({ secondMethod: "wdpo_column" })).toEqual([["secondMethod", message]]);
  const some = pairs.map((pair, index) => (index === 0 ? pair : { ...pair, weight: 1 }));
  expect(told({ method: "wdpo_column" }, some)[0]?.[1]).toContain("1 of 4 pairs have none");
  const all = pairs.map((pair) => ({ ...pair, weight: 1, rewardGap: 0.5 }));
  expect(told({ method: "wdpo_column", secondMethod: "wdpo" }, all)).toEqual([]);
  expect(told({ method: "wdpo" })[0]?.[1]).toMatch(
    /^wDPO weights pairs by a judge's scores, and these pairs have none/,
  );
});

it("names the method that asks for another batch or adapter, and tells it once", () => {
  expect(told({ secondMethod: "aot", batchPairs: 1 })).toEqual([
    ["batchPairs", "AOT compares the pairs of a batch with one another: it needs at least 2."],
  ]);
  expect(told({ method: "aot", secondMethod: "aot_unpaired", batchPairs: 1 })).toHaveLength(1);
  expect(told({ method: "aot", batchPairs: 2 })).toEqual([]);
  expect(told({ secondMethod: "tdpo2", tuning: "full" })).toEqual([
    ["tuning", "TDPO₂ reads the reference through the head it shares: train an adapter."],
  ]);
  expect(told({ method: "kto", batchPairs: 1 })).toEqual([]);
});

it("says why a method is not offered", () => {
  expect(told({ method: "fpo" })).toEqual([
    ["method", "FPO compares features, and no sparse autoencoder is loaded for this model."],
  ]);
});
