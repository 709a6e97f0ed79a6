/** The memory promised before a run against what the device really gave. */
import { afterEach, expect, it, vi } from "vitest";
import { createRandom } from "../data/random.ts";
import { trimMemory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import type { RunConfig } from "./config.ts";
import { estimateRun } from "./estimate.ts";
import { tinyRun } from "./tinyRun.testing.ts";
import { train } from "./train.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Shapes in which activations, not weights, decide, as in the embedded model. */
const shape = { hiddenSize: 96, intermediateSize: 256, heads: 6, keyValueHeads: 3, headDim: 16, layers: 3 };
const STORAGE = 0x80;
const UNIFORM = 0x40;

/** Follows the bytes of all buffers that tensors and recordings lie in; uniform blocks of live dispatches are apart. */
function followBytes(): () => number {
  let [bytes, peak] = [0, 0];
  const createBuffer: unknown = Reflect.get(GPUDevice.prototype, "createBuffer");
  vi.spyOn(GPUDevice.prototype, "createBuffer").mockImplementation(function (
    this: GPUDevice,
    descriptor: GPUBufferDescriptor,
  ) {
    const buffer = Reflect.apply(createBuffer as () => GPUBuffer, this, [descriptor]);
    const isRecorded = descriptor.label === "recorded uniforms";
    if ((descriptor.usage & STORAGE) === 0 && !((descriptor.usage & UNIFORM) !== 0 && isRecorded))
      return buffer;
    bytes += descriptor.size;
    peak = Math.max(peak, bytes);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      bytes -= descriptor.size;
      destroy();
    };
    return buffer;
  });
  return () => peak;
}

it.each<Partial<RunConfig>>([
  { checkpointing: "on" },
  { checkpointing: "off", tuning: "full" },
  { checkpointing: "off", sharesPrompts: false, batchPairs: 4 },
])("is kept within a tenth (%o)", { timeout: 90_000 }, async (changes) => {
  await openTestDevice();
  // A buffer left by another case would be used unseen.
  trimMemory();
  const peakBytes = followBytes();
  const { model, dispose } = createTinyModel(shape);
  const { vocabularySize } = model.config;
  const random = createRandom(3);
  const ids = (length: number) => Int32Array.from({ length }, () => 3 + random.integer(vocabularySize - 3));
  const pairs = Array.from({ length: 24 }, (_, row) => ({
    prompt: ids(14 + random.integer(10)),
    chosen: ids(12 + random.integer(18)),
    rejected: ids(12 + random.integer(18)),
    row,
  }));
  const run = tinyRun(
    model,
    { steps: 3, batchPairs: 8, evalPairs: 8, loraRank: 8, ...changes },
    { trainPairs: pairs, heldoutPairs: pairs },
  );
  const promised = estimateRun(model, run.config, { train: pairs, heldout: pairs }).memoryBytes;
  const estimate = Object.values(promised).reduce((sum, bytes) => sum + bytes, 0);
  for await (const report of train(run)) void report;
  const ratio = peakBytes() / estimate;
  dispose();
  expect(ratio).toBeGreaterThan(0.9);
  expect(ratio).toBeLessThan(1.1);
});
