import { beforeEach, expect, it } from "vitest";
import { withoutAdapters } from "../models/weights.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { estimateRun } from "./estimate.ts";
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
  for await (const _ of rememberReference(model, reference, pairs, 2)) continue;
  const before = memory().numBytes;
  const settings = { pairs, objective, params: config.params, reference, batchPairs: config.batchPairs };
  const evaluator = createEvaluator(model, settings);
  for await (const _ of evaluator.evaluate(withoutAdapters(model))) continue;
  const { memoryBytes } = estimateRun(model, config, { train: run.trainPairs, heldout: heldoutPairs });
  expect(memoryBytes.evaluation).toBe(memory().numBytes - before);
  evaluator.dispose();
  dispose();
});
