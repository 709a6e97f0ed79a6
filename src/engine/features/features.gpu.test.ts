/** Activations, directions and reconstructions on WebGPU against the same on the cpu backend. */
import { expect, it } from "vitest";
import { memory } from "../tensor/run.ts";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { createPolicy } from "../training/policy.ts";
import { randomAdapter, tinyRun, tinySae } from "../training/tinyRun.testing.ts";
import { encodePairs } from "./encodePairs.ts";
import { rowCount } from "./pairRows.ts";
import { directLogits } from "./featureLogits.ts";
import { promptFeatures } from "./promptFeatures.ts";
import { eachActive } from "./sparseRows.ts";

const TOLERANCE = 1e-4;
/** More than 512 rows, which are encoded in two parts. */
const pairs = tinyPairs(45);

/** What a reader finds on one backend; thresholds of 0, at which no activation jumps. */
async function found(backend: "cpu" | "webgpu") {
  await openTestDevice(backend);
  const { model, dispose } = createTinyModel();
  const policy = createPolicy(model, tinyRun(model).config, randomAdapter(model, 4));
  const sae = tinySae(0);
  const reader = { model, weights: policy.weights, sae, startToken: 1 };
  const before = memory().numTensors;
  const { rows, l0, unexplained } = await encodePairs(reader, pairs);
  const logits = await directLogits(reader, 3);
  const labels = { tokens: [], names: [] };
  const prompt = await promptFeatures(reader, Int32Array.of(1, 4, 30, 22), labels);
  expect(memory().numTensors).toBe(before);
  const dense = new Float32Array((rows.starts.length - 1) * rows.width);
  for (let row = 0; row + 1 < rows.starts.length; row++)
    eachActive(rows, row, (feature, value) => (dense[row * rows.width + feature] = value));
  sae.dispose();
  policy.dispose();
  dispose();
  return {
    dense,
    numbers: Float32Array.of(l0, unexplained ?? NaN),
    logits: logits ?? new Float32Array(),
    activations: prompt.activations,
    unexplained: prompt.unexplained?.slice(1) ?? new Float32Array(),
  };
}

it("finds on WebGPU what it finds on the cpu", { timeout: 60_000 }, async () => {
  expect(pairs.reduce((sum, pair) => sum + rowCount(pair), 0)).toBeGreaterThan(512);
  const expected = await found("cpu");
  const actual = await found("webgpu");
  for (const [name, values] of Object.entries(expected)) {
    expect(values.length, name).toBeGreaterThan(1);
    compare(actual[name as keyof typeof actual], values, { label: name, tolerance: TOLERANCE });
  }
});
