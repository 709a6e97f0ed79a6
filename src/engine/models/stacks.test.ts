import { beforeEach, expect, it } from "vitest";
import type { NamedArray } from "../files/safetensors.ts";
import { isShardedWeight, tensorsOfWeight, type Weight } from "../kernels/weightLayout/packedWeight.ts";
import { unpackRow, weightLayouts } from "../kernels/weightLayout/weightLayout.ts";
import { memory, read } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { tinyArrays, tinyConfig } from "../testing/tinyModel.ts";
import { disposeWeights, WeightTooLargeError } from "./parcels.ts";
import { uploadWeights } from "./uploadWeights.ts";
import { parameter, parameterShape, wholeMatrix } from "./weights.ts";

const embedding = "model.embed_tokens.weight";
const head = "lm_head.weight";
const config = { ...tinyConfig, vocabularySize: 200 };
/** Holds the largest stack of [48, 16] in float32, and 54 rows of the embedding. */
const largestBytes = 3500;

beforeEach(async () => {
  await openTestDevice("cpu");
});

/** All rows of a matrix, as it is stored. */
async function valuesOf(weight: Weight, { shape: [, inputs = 0] }: NamedArray): Promise<number[][]> {
  const pieces = await Promise.all(
    tensorsOfWeight(weight).map(async (words) => ({ words, values: await read(words) })),
  );
  const layout = isShardedWeight(weight) ? weight.shards[0]!.layout : "f32";
  return pieces.flatMap(({ words, values }) =>
    Array.from({ length: words.shape[0] }, (_, row) => [...unpackRow(values, row, inputs, layout)]),
  );
}

it("stores the embedding and the head in shards that the device can bind, and all else whole", async () => {
  const arrays = tinyArrays(config);
  const before = memory().numTensors;
  const weights = uploadWeights(config, arrays, { layout: "f32", largestBytes });
  for (const [name, weight] of weights.base) {
    expect(isShardedWeight(weight), name).toBe(name === embedding || name === head);
    for (const { size } of tensorsOfWeight(weight)) expect(4 * size, name).toBeLessThanOrEqual(largestBytes);
  }
  for (const name of [embedding, head]) {
    const weight = weights.base.get(name)!;
    expect(tensorsOfWeight(weight).map(({ shape }) => shape)).toEqual([[50, 16], [50, 16], [50, 16], [50, 16]]); // prettier-ignore
    expect(parameterShape(weights, name)).toEqual([200, 16]);
    expect((await valuesOf(weight, arrays.get(name)!)).flat()).toEqual([...arrays.get(name)!.values]);
  }
  expect(weights.stacks.size).toBe(4 * config.layers);
  disposeWeights(weights);
  expect(memory().numTensors).toBe(before);
});

it.each(weightLayouts)("counts the bytes of %s", (layout) => {
  const arrays = tinyArrays(config);
  const weights = uploadWeights(config, arrays, { layout, largestBytes });
  const [bytes] = tensorsOfWeight(weights.base.get(head)!).map(({ size }) => 4 * size);
  expect(bytes).toBeLessThanOrEqual(largestBytes);
  // Half as many shards would each be too large.
  expect(2 * bytes!).toBeGreaterThan(largestBytes);
  disposeWeights(weights);
});

it("leaves a group apart when its stack is too large, though its members are not", () => {
  // Gate and up [24, 16] are 1536 bytes each.
  const weights = uploadWeights(config, tinyArrays(config), { layout: "f32", largestBytes: 3000 });
  expect(weights.stacks.size).toBe(3 * config.layers);
  expect(parameterShape(weights, "model.layers.1.mlp.gate_proj.weight")).toEqual([24, 16]);
  disposeWeights(weights);
});

it("refuses a linear that the device cannot bind, before anything is on it", () => {
  const before = memory().numTensors;
  const upload = () => uploadWeights(config, tinyArrays(config), { layout: "f32", largestBytes: 1500 });
  expect(upload).toThrow(WeightTooLargeError);
  expect(upload).toThrow(
    '"model.layers.0.mlp.gate_proj.weight" takes 0.00154 MB in f32, this device reads at most 0.0015 MB at once',
  );
  expect(memory().numTensors).toBe(before);
});

it("lets nobody read a weight in shards as one tensor", () => {
  const weights = uploadWeights(config, tinyArrays(config), { layout: "f32", largestBytes });
  expect(() => wholeMatrix(weights, head)).toThrow("is stored in 4 parts");
  expect(() => parameter(weights, head)).toThrow("train adapters");
  disposeWeights(weights);
});
