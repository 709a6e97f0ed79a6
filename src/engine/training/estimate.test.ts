import { beforeEach, expect, it } from "vitest";
import { withoutAdapters } from "../models/weights.ts";
import { onlyLogps } from "../reference/referenceCache.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import type { RunConfig } from "./config.ts";
import { estimateRun, evaluatorBytes } from "./estimate.ts";
import { createEvaluator } from "./evaluate.ts";
import { rememberReference } from "./referencePass.ts";
import { tinyRun } from "./tinyRun.testing.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

it("counts every byte that an evaluator keeps", async () => {
  const { model, dispose } = createTinyModel();
  const run = tinyRun(model, { evalPairs: 3, batchPairs: 2 });
  const { config, objective, reference, heldoutPairs } = run;
  const pairs = heldoutPairs.slice(0, config.evalPairs);
  for await (const _ of rememberReference(model, reference, pairs, { batchPairs: 2, needs: onlyLogps }))
    continue;
  const before = memory().numBytes;
  const settings = { pairs, objective, params: config.params, reference, batchPairs: config.batchPairs };
  const evaluator = createEvaluator(model, settings);
  for await (const _ of evaluator.evaluate(withoutAdapters(model))) continue;
  expect(evaluatorBytes(model, config, heldoutPairs)).toBe(memory().numBytes - before);
  evaluator.dispose();
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
