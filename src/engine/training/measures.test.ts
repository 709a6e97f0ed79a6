import { beforeEach, describe, expect, it } from "vitest";
import { pairBatch } from "../data/batch.ts";
import { objectives } from "../losses/index.ts";
import { distinctWindows } from "../models/config.ts";
import { MissingWeightError } from "../models/weights.ts";
import { memory, zeros } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { addGradients } from "./gradients.ts";
import { driftOptions, measuresOf } from "./measures.ts";
import { mismatchedRatiosOf } from "./mismatched.ts";
import { checkLiveReference, checkStepGradient } from "./measures.testing.ts";
import { createPolicy } from "./policy.ts";
import { follow, randomAdapter, tinyRun, tinySae } from "./tinyRun.testing.ts";

/** FPO whose loss has nothing detached. */
const freeFpo = { beta: 2, alpha: 5, topK: 4, stopGradientChosen: 0, featureMode: 0 };

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("a live reference", () => {
  const names = Object.keys(objectives) as (keyof typeof objectives)[];
  it.each(names)("gives %s the run that a remembered one gives", (method) => checkLiveReference(method));
});

it("gives FPO over two layers the run that a remembered reference gives", () =>
  checkLiveReference("fpo", { layers: [0, 1] }));

describe("the gradient of a step", () => {
  const tolerance = 2e-3;

  it("has the KL of both answers in it", async () => {
    await checkStepGradient("tdpo1", { beta: 2 }, { tolerance });
  });

  const modes = ["paper", "released", "held"] as const;
  const cases = modes.flatMap((mode) => [[0], [1], [0, 1]].map((layers) => [mode, layers] as const));
  it.each(cases)("has the drift of features in it: %s, layers %j", async (mode, layers) => {
    const params = { ...freeFpo, featureMode: modes.indexOf(mode) };
    // With two autoencoders of 24 features, 26 is one of the second.
    const compared = { layers, heldFeatures: layers.length === 1 ? [3, 17, 5] : [3, 26, 17, 33] };
    await checkStepGradient("fpo", params, { ...compared, tolerance });
  });

  it("has every layer's own drift in it", async () => {
    const along = (layers: number[], alpha: number) =>
      checkStepGradient("fpo", { ...freeFpo, alpha }, { layers, tolerance });
    const [lower, upper, both] = [await along([0], 5), await along([1], 5), await along([0, 1], 5)];
    // Neither alone: with the other's drift the gradient is another one.
    for (const one of [lower, upper]) {
      const apart = Math.hypot(...both.map((value, at) => value - (one[at] ?? NaN)));
      expect(apart).toBeGreaterThan(0.05 * Math.hypot(...both));
    }
  });
});

describe("held features", () => {
  it("have the third place among the modes, as the objective names them", () => {
    const { choices } = objectives.fpo.parameters.find(({ key }) => key === "featureMode") ?? {};
    const modeOf = (featureMode: number, prefix = "") =>
      driftOptions({ params: { [`${prefix}featureMode`]: featureMode }, heldFeatures: [] }).mode;
    expect(choices?.map((_, value) => modeOf(value))).toEqual(choices);
    expect(modeOf(2, "second.")).toBe("held");
    expect(driftOptions({ params: {}, heldFeatures: [4] })).toEqual({
      mode: "paper",
      topK: 1,
      heldFeatures: [4],
    });
  });

  it("are refused before anything is computed where there are none, or not as many", async () => {
    const { model, dispose } = createTinyModel();
    const saes = [tinySae(), tinySae(0.1, { layer: 1 })];
    const params = { ...freeFpo, featureMode: 2 };
    const runOf = (heldFeatures: number[]) =>
      follow(
        tinyRun(
          model,
          { method: "fpo", params, heldFeatures, steps: 1 },
          { features: { saes, startToken: null } },
        ),
      );
    await expect(runOf([])).rejects.toThrow("No feature is held");
    await expect(runOf([3, 48])).rejects.toThrow("Feature 48 is held, and the last of the 48 features is 47");
    await expect(runOf([3, 47])).resolves.toMatchObject({ steps: [{}] });
    for (const sae of saes) sae.dispose();
    dispose();
  });
});

describe("mismatched answers", () => {
  it("are no likelier under an untouched adapter, and are under a trained one", async () => {
    const { model, dispose } = createTinyModel();
    const pairs = tinyPairs(4);
    const objective = objectives.kto;
    const untouched = createPolicy(model, tinyRun(model).config);
    const same = await mismatchedRatiosOf({ model, weights: untouched.weights, objective }, pairs);
    expect(same).toEqual(new Float64Array(4));
    const changed = createPolicy(model, tinyRun(model).config, randomAdapter(model, 3));
    const ratios = await mismatchedRatiosOf({ model, weights: changed.weights, objective }, pairs);
    expect(ratios?.every((ratio) => Math.abs(ratio) > 1e-3)).toBe(true);
    const asked = { model, weights: changed.weights, objective: objectives.dpo };
    expect(await mismatchedRatiosOf(asked, pairs)).toBeUndefined();
    untouched.dispose();
    changed.dispose();
    dispose();
  });

  it("shorten prompts that leave no room for another pair's answer", async () => {
    const { model, dispose } = createTinyModel();
    const tokens = (count: number) => Int32Array.from({ length: count }, (_, index) => 3 + (index % 30));
    const first = { prompt: tokens(40), chosen: tokens(4), rejected: tokens(5), row: 0 };
    const second = { prompt: tokens(6), chosen: tokens(40), rejected: tokens(41), row: 1 };
    const policy = createPolicy(model, tinyRun(model).config, randomAdapter(model, 3));
    const asked = { model, weights: policy.weights, objective: objectives.kto };
    const found = await mismatchedRatiosOf(asked, [first, second]);
    // 64 positions less 40 of the answer: the first token of the prompt and its last 23.
    const prompt = Int32Array.of(first.prompt[0] ?? NaN, ...first.prompt.slice(-23));
    expect(found).toEqual(await mismatchedRatiosOf(asked, [{ ...first, prompt }, second]));
    expect(found?.every(Number.isFinite)).toBe(true);
    policy.dispose();
    dispose();
  });

  it("do not exist for a single pair", async () => {
    const { model, dispose } = createTinyModel();
    const policy = createPolicy(model, tinyRun(model).config);
    const asked = { model, weights: policy.weights, objective: objectives.kto };
    await expect(mismatchedRatiosOf(asked, tinyPairs(1))).rejects.toThrow("at least 2 pairs");
    policy.dispose();
    dispose();
  });
});

describe("an evaluation of objectives that compare pairs", () => {
  it.each(["aot", "aot_unpaired", "kto"] as const)("leaves no pair of %s alone", async (method) => {
    const { model, dispose } = createTinyModel();
    const heldoutPairs = tinyPairs(5, { seed: 2 });
    const { evaluations } = await follow(
      tinyRun(model, { method, steps: 1, evalPairs: 5 }, { heldoutPairs }),
    );
    expect(evaluations.map(({ chosenDelta }) => chosenDelta.length)).toEqual([5, 5]);
    dispose();
  });
});

it("leaves nothing on the device when a layer above the pooled one fails", async () => {
  const { model, dispose } = createTinyModel();
  const sae = tinySae();
  const run = tinyRun(model, { method: "fpo", referenceMode: "live" });
  const policy = createPolicy(model, run.config);
  const measures = {
    ...measuresOf(run.objective, run.config, { saes: [sae], startToken: null }),
    hasTokenKl: true,
  };
  const batch = uploadBatch(pairBatch(run.trainPairs), distinctWindows(model.config));
  const flat = zeros(policy.parameters.theta.shape);
  const before = memory().numTensors;
  // Layers that are not stacked look their weights up one by one.
  const base = new Map([...model.base].filter(([name]) => !name.startsWith("model.layers.1.")));
  const pass = {
    model,
    weights: { ...policy.weights, base, stacks: new Map() },
    keeps: "layerInputs" as const,
    sink: { flat, trainables: policy.trainables },
    measures,
  };
  const host = { gradients: () => expect.unreachable("nothing was measured") };
  await expect(addGradients(pass, batch, host)).rejects.toBeInstanceOf(MissingWeightError);
  expect(memory().numTensors).toBe(before);
  flat.dispose();
  batch.dispose();
  policy.dispose();
  sae.dispose();
  dispose();
});
