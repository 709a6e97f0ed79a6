import { beforeEach, expect, it } from "vitest";
import { generate } from "../generation/generate.ts";
import { isShardedWeight } from "../kernels/weightLayout/packedWeight.ts";
import { headName } from "../models/decoder.ts";
import { matrix, referenceWeights } from "../models/weights.ts";
import { memory } from "../tensor/run.ts";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { createPolicy } from "./policy.ts";
import { shardedPair, shardedRun } from "./shards.testing.ts";
import { follow, lastOf } from "./tinyRun.testing.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

it.each([true, false])("trains over shards as over whole matrices (tied head: %s)", async (isTied) => {
  const { whole, sharded, dispose } = shardedPair(isTied);
  expect(isShardedWeight(matrix(sharded, headName(sharded.config)))).toBe(true);
  const expected = await follow(shardedRun(whole, 3));
  const before = memory().numTensors;
  const actual = await follow(shardedRun(sharded, 3));
  expect(memory().numTensors).toBe(before);
  for (const [name, values] of Object.entries(lastOf(expected))) {
    compare(lastOf(actual)[name] ?? new Float32Array(), values, { label: name, tolerance: 1e-5 });
  }
  const [last, lastActual] = [expected.evaluations.at(-1), actual.evaluations.at(-1)];
  const metrics = Object.entries(last?.metrics ?? {});
  expect(metrics.some(([name, value]) => name.includes("kl") && value !== 0)).toBe(true);
  for (const [name, value] of metrics) expect(lastActual?.metrics[name], name).toBeCloseTo(value, 5);
  dispose();
});

it("draws the answers over shards that it draws over whole matrices", async () => {
  const { whole, sharded, dispose } = shardedPair(true);
  const prompts = shardedRun(whole, 1).trainPairs.map(({ prompt }) => prompt);
  const options = { maxNewTokens: 6, temperature: 1, seed: 3, stopTokenIds: [] };
  const expected = await generate(whole, referenceWeights(whole), prompts, options);
  expect(new Set(expected.flat()).size).toBeGreaterThan(20);
  expect(await generate(sharded, referenceWeights(sharded), prompts, options)).toEqual(expected);
  dispose();
});

it("refuses to train matrices in shards", () => {
  const { sharded, dispose } = shardedPair(false);
  const before = memory().numTensors;
  const { config } = shardedRun(sharded, 1);
  expect(() => createPolicy(sharded, { ...config, tuning: "full" })).toThrow("stored in 4 parts");
  expect(memory().numTensors).toBe(before);
  dispose();
});
