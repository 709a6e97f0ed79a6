import { beforeEach, describe, expect, it } from "vitest";
import { createReferenceCache } from "../reference/referenceCache.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { checkEvaluatedFeatures } from "./evaluatedFeatures.testing.ts";
import { follow, tinyRun, tinySae } from "./tinyRun.testing.ts";

beforeEach(() => openTestDevice("cpu"));

describe("the features of an evaluation", () => {
  // An objective without a k of its own compares 50 features, or as many as the smallest autoencoder has.
  it.each([
    ["dpo", [0], 24],
    ["dpo", [0, 1], 17],
    ["fpo", [1], 17],
    ["fpo", [0, 1], 17],
  ] as const)("are those of plain loops: %s, layers %j", (method, layers, topK) =>
    checkEvaluatedFeatures(method, { layers, topK, tolerance: 1e-4 }),
  );

  it("cost the steps of an objective that does not compare features nothing", async () => {
    const { model, dispose } = createTinyModel();
    const sae = tinySae();
    const [plain, tapped] = [createReferenceCache(), createReferenceCache()];
    const without = await follow(tinyRun(model, {}, { reference: plain }));
    const held = memory().numTensors;
    const features = { saes: [sae], startToken: null };
    const run = tinyRun(model, {}, { reference: tapped, features });
    const followed = await follow(run);
    expect(memory().numTensors).toBe(held);
    expect(followed.steps).toEqual(without.steps);
    expect(followed.saved).toEqual(without.saved);
    for (const pair of run.trainPairs) expect(tapped.get(pair)).toEqual(plain.get(pair));
    // What else an evaluation says stays the same.
    without.evaluations.forEach(({ metrics }, at) => {
      expect(followed.evaluations[at]?.metrics).toMatchObject(metrics);
    });
    expect(without.evaluations.map(({ features: none }) => none)).toEqual([null, null]);
    sae.dispose();
    dispose();
  });

  it("have not moved under an untouched adapter", async () => {
    const { model, dispose } = createTinyModel();
    const saes = [tinySae(), tinySae(0.1, { layer: 1 })];
    const parts = { features: { saes, startToken: null }, heldoutPairs: tinyPairs(4, { seed: 2 }) };
    const { evaluations } = await follow(tinyRun(model, { steps: 1, method: "simpo" }, parts));
    const [first] = evaluations;
    expect(first?.metrics).toMatchObject({
      "eval_features/mse_chosen": 0,
      "eval_features/mse_rejected": 0,
      "eval_features/mse_margin": 0,
      "eval_features/overlap": 1,
    });
    expect(evaluations.at(-1)?.metrics["eval_features/mse_chosen"]).toBeGreaterThan(0);
    for (const sae of saes) sae.dispose();
    dispose();
  });
});

it("measures the drift of held features with any objective, as their mean square", async () => {
  const { model, dispose } = createTinyModel();
  const saes = [tinySae(), tinySae(0.1, { layer: 1 })];
  const heldFeatures = [3, saes[0]!.width + 5];
  const parts = { features: { saes, startToken: null }, heldoutPairs: tinyPairs(1, { seed: 2 }) };
  const { evaluations } = await follow(tinyRun(model, { heldFeatures, evalPairs: 1 }, parts));
  const [before, after] = [evaluations[0]!, evaluations.at(-1)!];
  // Of a single pair the means of features are the pair's own.
  for (const side of ["chosen", "rejected"] as const) {
    const squares = heldFeatures.map(
      (feature) => (after.features![side][feature]! - before.features![side][feature]!) ** 2,
    );
    const name = `eval_features/held_mse_${side}`;
    expect(before.metrics[name]).toBe(0);
    expect(squares[0]).toBeGreaterThan(0);
    expect(after.metrics[name]).toBeCloseTo((squares[0]! + squares[1]!) / 2, 6);
  }
  for (const sae of saes) sae.dispose();
  dispose();
});

describe("the steps of FPO", () => {
  it("say how many features are active and how many both models have in common", async () => {
    const { model, dispose } = createTinyModel();
    const sae = tinySae();
    const parts = { features: { saes: [sae], startToken: null } };
    const { steps } = await follow(tinyRun(model, { method: "fpo" }, parts));
    expect(steps[0]).toMatchObject({ "features/mse_chosen": 0, "features/overlap": 1 });
    expect(steps[0]?.["features/l0"]).toBeGreaterThan(1);
    expect(steps[2]?.["features/mse_rejected"]).toBeGreaterThan(0);
    expect(Object.keys(steps[0] ?? {}).filter((name) => name.includes("unexplained"))).toEqual([]);
    sae.dispose();
    dispose();
  });
});

it("refuses two autoencoders of one layer, and none at all", async () => {
  const { model, dispose } = createTinyModel();
  const saes = [tinySae(), tinySae()];
  const runOf = (some: typeof saes) =>
    follow(tinyRun(model, {}, { features: { saes: some, startToken: null } }));
  await expect(runOf(saes)).rejects.toThrow("Two autoencoders read the stream after block 0");
  await expect(runOf([])).rejects.toThrow("there is no autoencoder");
  for (const sae of saes) sae.dispose();
  dispose();
});
