import { beforeEach, expect, it } from "vitest";
import type { TokenPair } from "../data/tokenPair.ts";
import { bytesOf, meanFeatureBytes, onlyLogps } from "../reference/referenceCache.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import type { RunConfig } from "./config.ts";
import { estimateRun, evaluatorBytes } from "./estimate.ts";
import { createEvaluator } from "./evaluate.ts";
import { measuresOf } from "./measures.ts";
import { createPolicy } from "./policy.ts";
import { rememberReference } from "./referencePass.ts";
import { tinyRun, tinySae } from "./tinyRun.testing.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

it.each([
  ["lora", false],
  ["lora", true],
  ["full", false],
  ["full", true],
] as const)("counts every byte that an evaluator keeps (%s, features: %s)", async (tuning, hasFeatures) => {
  const { model, dispose } = createTinyModel();
  const saes = [tinySae(), tinySae(0.1, { layer: 1 })];
  const run = tinyRun(model, { tuning, evalPairs: 3, batchPairs: 2 });
  const { config, objective, reference, heldoutPairs } = run;
  const pairs = heldoutPairs.slice(0, config.evalPairs);
  const measures = measuresOf(objective, config, hasFeatures ? { saes, startToken: 1 } : null);
  const what = { batchPairs: 2, needs: onlyLogps, tap: null };
  for await (const _ of rememberReference(model, reference, pairs, what)) continue;
  const policy = createPolicy(model, config);
  const before = memory().numBytes;
  const { params, batchPairs } = config;
  const settings = { pairs, objective, params, reference, batchPairs, measures };
  const evaluator = createEvaluator(model, settings);
  for await (const _ of evaluator.evaluate(policy.weights)) continue;
  expect(evaluatorBytes(model, config, heldoutPairs, measures)).toBe(memory().numBytes - before);
  evaluator.dispose();
  policy.dispose();
  for (const sae of saes) sae.dispose();
  dispose();
});

it("counts autoencoders, and what evaluating their features takes", async () => {
  const { model, dispose } = createTinyModel();
  const saes = [tinySae(0.1, { width: 4000 })];
  const run = tinyRun(model);
  const data = { train: run.trainPairs, heldout: run.heldoutPairs };
  const before = memory().numTensors;
  const measures = measuresOf(run.objective, run.config, { saes, startToken: null });
  const [without, tapped] = [
    estimateRun(model, run.config, data),
    estimateRun(model, run.config, data, measures),
  ];
  expect(memory().numTensors).toBe(before);
  // Encoder and decoder of 16 numbers a feature, two vectors of its own, and one of the stream's.
  const { hiddenSize } = model.config;
  expect(tapped.memoryBytes.weights - without.memoryBytes.weights).toBe(
    4 * (2 * 4000 * hiddenSize + 2 * 4000 + hiddenSize),
  );
  const entries = run.heldoutPairs.reduce(
    (sum, { chosen, rejected }) => sum + chosen.length + rejected.length,
    0,
  );
  expect(tapped.memoryBytes.evaluation - without.memoryBytes.evaluation).toBeGreaterThan(4 * entries * 4000);
  // An objective that does not compare features takes its steps as without them.
  expect(tapped.memoryBytes.activations).toBe(without.memoryBytes.activations);
  expect(tapped.dispatchesPerBatch).toBe(without.dispatchesPerBatch);
  for (const sae of saes) sae.dispose();
  dispose();
});

it("tells within a tenth what the reference's features take, once those of some pairs are known", async () => {
  const { model, dispose } = createTinyModel();
  // A threshold that few features reach, so that a guess by their number would be wrong.
  const saes = [tinySae(9, { width: 3000 }), tinySae(12, { layer: 1, width: 500 })];
  const run = tinyRun(model, { method: "fpo", evalPairs: 24, steps: 12 });
  const { config, reference } = run;
  const data = { train: tinyPairs(24), heldout: tinyPairs(24, { seed: 2 }) };
  const measures = measuresOf(run.objective, config, { saes, startToken: null });
  const what = { batchPairs: 8, needs: { hidden: false, features: true }, tap: measures.tap };
  const scored = { ...what, needs: onlyLogps };
  for await (const _ of rememberReference(model, reference, data.heldout, scored)) continue;
  const some = data.train.slice(0, 8);
  for await (const _ of rememberReference(model, reference, some, what)) continue;
  const featureBytes = meanFeatureBytes(reference, some);
  const guessed = estimateRun(model, config, data, measures);
  const known = estimateRun(model, config, { ...data, featureBytes }, measures);
  for await (const _ of rememberReference(model, reference, data.train, what)) continue;
  const perPair = (pairs: readonly TokenPair[]) =>
    pairs.reduce((sum, pair) => sum + bytesOf(reference.get(pair)!), 0) / pairs.length;
  const off = (estimated: number, found: number) => Math.abs(estimated - found) / found;
  expect(off(known.referenceBytesPerPair, perPair(data.train))).toBeLessThan(0.1);
  expect(off(known.referenceBytes, reference.bytes())).toBeLessThan(0.1);
  expect(off(guessed.referenceBytesPerPair, perPair(data.train))).toBeGreaterThan(0.1);
  for (const sae of saes) sae.dispose();
  dispose();
});

it("plans the tape where adapters drop some of their inputs", async () => {
  const { model, dispose } = createTinyModel();
  const run = tinyRun(model);
  const data = { train: run.trainPairs, heldout: run.heldoutPairs };
  const dispatchesOf = (changes: Partial<RunConfig>) =>
    estimateRun(model, { ...run.config, ...changes }, data).dispatchesPerBatch;
  expect(dispatchesOf({ loraDropout: 0.2 })).toBeGreaterThan(2 * dispatchesOf({}));
  // Without adapters nothing is dropped.
  expect(dispatchesOf({ tuning: "full", loraDropout: 0.2 })).toBe(dispatchesOf({ tuning: "full" }));
  dispose();
});

it("plans without computing, and leaves nothing behind", async () => {
  const { model, dispose } = createTinyModel();
  const run = tinyRun(model);
  const before = memory();
  const data = { train: run.trainPairs, heldout: run.heldoutPairs };
  const whole = estimateRun(model, { ...run.config, checkpointing: "off" }, data);
  const again = estimateRun(model, { ...run.config, checkpointing: "on" }, data);
  expect(memory()).toEqual(before);
  expect(whole.keeps).toBe("everything");
  expect(again.keeps).toBe("layerInputs");
  const { layers } = model.config;
  // Computing a layer again is its forward pass without the last projection.
  expect(again.dispatchesPerBatch - whole.dispatchesPerBatch).toBe(7 * layers);
  expect(again.memoryBytes.activations).toBeLessThan(whole.memoryBytes.activations);
  // Nothing is kept of layers below the lowest that trains.
  const top = estimateRun(model, { ...run.config, checkpointing: "off", topLayers: 1 }, data);
  expect(top.memoryBytes.activations).toBeLessThan(0.8 * whole.memoryBytes.activations);
  expect(whole.rowsPerBatch).toBeLessThan(whole.rowsPerBatchUnshared);
  dispose();
});
