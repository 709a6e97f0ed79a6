import { afterAll, beforeAll, expect, it } from "vitest";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { objectives } from "../engine/losses/index.ts";
import type { Objective } from "../engine/losses/objective.ts";
import { uploadModel, type LoadedModel } from "../engine/models/loadModel.ts";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { createTinyModel, tinyArrays, tinyConfig, tinyPairs } from "../engine/testing/tinyModel.ts";
import { defaultConfig, type RunConfig } from "../engine/training/config.ts";
import { tinySae } from "../engine/training/tinyRun.testing.ts";
import { configProblems } from "./configProblems.ts";
import type { FoundFeatures } from "./featureDesk.ts";

let loaded: LoadedModel;

beforeAll(async () => {
  await openTestDevice("cpu");
  loaded = createTinyModel() as LoadedModel;
});

afterAll(() => {
  loaded.dispose();
});

const pairs = tinyPairs(6);

const noFeatures: FoundFeatures = { source: null, problem: null };

/** What keeps a run of these methods with their knobs at their defaults from being trained. */
function problemsOf(
  changes: Partial<RunConfig>,
  {
    train = pairs,
    heldout = pairs.slice(0, 3),
    features = noFeatures,
  }: { train?: TokenPair[]; heldout?: TokenPair[]; features?: FoundFeatures } = {},
) {
  const { method = "dpo", secondMethod = "" } = changes;
  const knobs = (id: string, prefix: string) =>
    ((objectives as Record<string, Objective>)[id]?.parameters ?? []).map(
      ({ key, default: value }) => [prefix + key, value] as const,
    );
  const params = Object.fromEntries([...knobs(method, ""), ...knobs(secondMethod, "second.")]);
  const config = { ...defaultConfig, maxTokens: 32, params, ...changes };
  return configProblems(config, { loaded, data: { train, heldout }, features });
}

it("says nothing of a run that can be trained", () => {
  for (const method of ["sft", "dpo", "kto", "aot", "tdpo2", "wpo"])
    expect(problemsOf({ method })).toEqual([]);
});

it("asks for 32-bit weights before they all train", () => {
  expect(problemsOf({ tuning: "full" })).toEqual([]);
  const whole = loaded;
  loaded = uploadModel(tinyConfig, tinyArrays(), "q4m") as LoadedModel;
  expect(problemsOf({})).toEqual([]);
  expect(problemsOf({ tuning: "full" })).toEqual([
    {
      field: "tuning",
      message:
        "Full fine-tuning changes matrices of 32-bit floats, and these are q4m: set the base weights to f32, or train an adapter.",
    },
  ]);
  loaded.dispose();
  loaded = whole;
});

it("names the method of a mixture that lacks something", () => {
  const needs: Partial<RunConfig>[] = [
    { secondMethod: "wdpo" },
    { secondMethod: "wdpo_column" },
    { secondMethod: "fpo" },
    { secondMethod: "tdpo1", tuning: "full" },
    { secondMethod: "kto", batchPairs: 1 },
  ];
  expect(needs.map((changes) => problemsOf(changes))).toEqual([
    [
      {
        field: "secondMethod",
        message: expect.stringMatching(
          /^wDPO weights pairs by a judge's scores, and these pairs have none/,
        ) as string,
      },
    ],
    [
      {
        field: "secondMethod",
        message: expect.stringMatching(
          /^DPO with weights reads the column "weight", and these pairs have none/,
        ) as string,
      },
    ],
    [
      {
        field: "secondMethod",
        message: expect.stringMatching(
          /^FPO compares features, and no sparse autoencoder is at hand: open one/,
        ) as string,
      },
    ],
    [
      {
        field: "tuning",
        message: "TDPO₁ reads the reference through the head it shares: train an adapter.",
      },
    ],
    [
      {
        field: "batchPairs",
        message: "KTO compares the pairs of a batch with one another: it needs at least 2.",
      },
    ],
  ]);
});

it("asks for two pairs to evaluate on where pairs are compared", () => {
  for (const method of ["kto", "aot", "aot_unpaired"]) {
    expect(problemsOf({ method, batchPairs: 1 }).map(({ field }) => field)).toEqual(["batchPairs"]);
    expect(problemsOf({ method, evalPairs: 1 }).map(({ field }) => field)).toEqual(["evalPairs"]);
    const alone = problemsOf({ method }, { heldout: pairs.slice(0, 1) });
    expect(alone.map(({ field }) => field)).toEqual(["evalPairs"]);
  }
  expect(problemsOf({ method: "dpo", batchPairs: 1, evalPairs: 1 })).toEqual([]);
});

it("refuses weights that leave nothing to train", () => {
  const fields = (changes: Partial<RunConfig>) => problemsOf(changes).map(({ field }) => field);
  expect(fields({ methodWeight: 0 })).toEqual(["methodWeight"]);
  expect(fields({ methodWeight: 0, secondMethod: "simpo", secondWeight: 0 })).toEqual(["methodWeight"]);
  expect(fields({ methodWeight: 0, secondMethod: "simpo" })).toEqual([]);
  expect(fields({ methodWeight: 0, sftWeight: 0.5 })).toEqual([]);
  const weightless = {
    train: pairs.map((pair) => ({ ...pair, weight: 0 })),
    heldout: [{ ...pairs[0]!, weight: 0 }],
  };
  expect(problemsOf({ method: "wdpo_column" }, weightless)).toEqual([
    { field: "method", message: 'DPO with weights reads the column "weight", and it is 0 in all 7 pairs.' },
  ]);
});

it("tells an unknown second method from names that every object has", () => {
  for (const secondMethod of ["ppo", "toString"]) {
    expect(problemsOf({ secondMethod })).toEqual([
      { field: "secondMethod", message: `There is no method "${secondMethod}".` },
    ]);
  }
});

it("counts the pairs that lack something, and tells what both methods ask for once", () => {
  const some = pairs.map((pair, index) => (index === 0 ? pair : { ...pair, weight: 1 }));
  const [problem] = problemsOf({ method: "wdpo_column" }, { train: some, heldout: [] });
  expect(problem?.message).toContain("1 of 6 pairs have none: open a .jsonl file");
  expect(problemsOf({ method: "aot", secondMethod: "aot_unpaired", batchPairs: 1 })).toHaveLength(1);
});

it("trains answers to two prompts with methods that judge each by itself, and single answers with SFT", () => {
  const { prompt } = pairs[1] ?? { prompt: new Int32Array() };
  const apart = pairs.map((pair, index) => (index < 2 ? { ...pair, rejectedPrompt: prompt } : pair));
  const single = pairs.map((pair) => ({ ...pair, rejected: new Int32Array() }));
  for (const method of ["sft", "kto", "aot_unpaired"])
    expect(problemsOf({ method }, { train: apart, heldout: apart })).toEqual([]);
  expect(problemsOf({ method: "sft" }, { train: single, heldout: single })).toEqual([]);
  expect(problemsOf({ method: "dpo" }, { train: apart })).toEqual([
    {
      field: "method",
      message:
        "DPO compares two answers to one prompt, and 2 of 9 pairs have answers to two prompts: choose KTO, AOT unpaired or SFT, or a set with two answers to a prompt.",
    },
  ]);
  expect(problemsOf({ method: "sft", secondMethod: "kto" }, { train: single, heldout: single })).toEqual([
    {
      field: "secondMethod",
      message:
        "KTO needs a rejected answer, and these pairs have none: choose SFT, or a set with two answers to a prompt.",
    },
  ]);
});

it("asks for an autoencoder, and for a list of its features where some are held", () => {
  const sae = tinySae();
  const source = { saes: [sae], measured: [{ id: "tiny", width: 24 }], print: "", startToken: null };
  const found = { features: { source, problem: null } };
  const knobs = { beta: 2, alpha: 0.5, topK: 4, stopGradientChosen: 1 };
  const held = (heldFeatures: number[]) =>
    problemsOf({ method: "fpo", params: { ...knobs, featureMode: 2 }, heldFeatures }, found);
  expect(problemsOf({ method: "fpo" }, found)).toEqual([]);
  expect(held([3, sae.width - 1])).toEqual([]);
  expect(held([])).toMatchObject([
    { field: "heldFeatures", message: expect.stringMatching(/^No feature is held/) as string },
  ]);
  expect(held([3, sae.width])).toMatchObject([
    { field: "heldFeatures", message: expect.stringMatching(/^Feature 24 is held/) as string },
  ]);
  const lost = { source: null, problem: "There is no autoencoder." };
  const problem = [{ field: "saes", message: "There is no autoencoder." }];
  for (const method of ["dpo", "fpo"]) expect(problemsOf({ method }, { features: lost })).toEqual(problem);
  sae.dispose();
});

it("refuses rounds that cannot be, at the setting that keeps them from it", () => {
  const fieldsOf = (changes: Partial<RunConfig>) => problemsOf(changes).map(({ field }) => field);
  const whole = { tuning: "full", onlineReference: "round" } as const;
  expect(fieldsOf({ ...whole, rounds: 0 })).toEqual([]);
  expect(fieldsOf({ ...whole, rounds: 2 })).toEqual(["onlineReference"]);
  expect(fieldsOf({ ...whole, rounds: 2, onlineReference: "initial" })).toEqual([]);
  expect(fieldsOf({ rounds: 5, steps: 4 })).toEqual(["rounds"]);
  expect(fieldsOf({ rounds: 4, steps: 4 })).toEqual([]);
  // The column is the set's, and drawn answers have none.
  const weighted = pairs.map((pair) => ({ ...pair, weight: 1 }));
  const [weights] = problemsOf({ method: "wdpo_column", rounds: 2 }, { train: weighted, heldout: weighted });
  expect(weights?.message).toContain("answers that rounds draw do not have");
});
