/** The memory promised before a run against what the device really gave. */
import { afterEach, expect, it } from "vitest";
import { createRandom } from "../data/random.ts";
import { memory } from "../tensor/run.ts";
import { closeTestDevice, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { estimateRun } from "./estimate.ts";
import { tinyRun } from "./tinyRun.testing.ts";
import { train } from "./train.ts";

afterEach(async () => {
  await closeTestDevice();
});

/** Shapes in which activations, not weights, decide, as in the embedded model. */
const shape = { hiddenSize: 96, intermediateSize: 256, heads: 6, keyValueHeads: 3, headDim: 16, layers: 3 };

it("is kept, and is not twice what is needed", { timeout: 60_000 }, async () => {
  await openTestDevice();
  const { model, dispose } = createTinyModel(shape);
  const { vocabularySize } = model.config;
  const random = createRandom(3);
  const ids = (length: number) => Int32Array.from({ length }, () => 3 + random.integer(vocabularySize - 3));
  const pairs = Array.from({ length: 64 }, (_, row) => ({
    prompt: ids(14 + random.integer(10)),
    chosen: ids(12 + random.integer(18)),
    rejected: ids(12 + random.integer(18)),
    row,
  }));
  const run = tinyRun(
    model,
    { steps: 6, batchPairs: 8, evalPairs: 8, loraRank: 8 },
    { trainPairs: pairs, heldoutPairs: pairs },
  );
  const promised = estimateRun(model, run.config, { train: pairs, heldout: pairs }).memoryBytes;
  const estimate = Object.values(promised).reduce((sum, bytes) => sum + bytes, 0);
  for await (const report of train(run)) void report;
  const ratio = memory().numBytesAllocatedInGpu / estimate;
  dispose();
  // Batches of several lengths fill several size classes; one length alone needs about two thirds.
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(1.1);
});
