import { beforeEach, describe, expect, it } from "vitest";
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { packShards } from "../kernels/weightLayout/packedWeight.ts";
import type { ModelConfig } from "../models/config.ts";
import { headName } from "../models/decoder.ts";
import { uploadModel } from "../models/loadModel.ts";
import { referenceWeights } from "../models/weights.ts";
import { memory, read } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { tinyArrays, tinyConfig } from "../testing/tinyModel.ts";
import { tinySae } from "../training/tinyRun.testing.ts";
import { directLogits } from "./featureLogits.ts";

const feature = 5;

beforeEach(() => openTestDevice("cpu"));

/** The same in plain loops over the arrays that the model was made of. */
function expectedLogits(config: ModelConfig, direction: readonly number[]): number[] {
  const arrays = tinyArrays(config);
  const gain = arrays.get("model.norm.weight")!.values;
  const head = arrays.get(headName(config))!.values;
  const mean = config.norm === "layer" ? direction.reduce((sum, value) => sum + value) / direction.length : 0;
  const size = config.hiddenSize;
  return Array.from({ length: config.vocabularySize }, (_, id) =>
    direction.reduce((sum, value, i) => sum + (value - mean) * gain[i]! * head[id * size + i]!, 0),
  );
}

describe("directLogits", () => {
  it.each<{ name: string; changes: Partial<ModelConfig>; layout: WeightLayout; digits: number }>([
    { name: "a head of its own", changes: {}, layout: "f32", digits: 4 },
    { name: "a tied head", changes: { hasTiedEmbeddings: true }, layout: "f32", digits: 4 },
    { name: "a packed head", changes: {}, layout: "f16", digits: 1 },
    { name: "a packed head that is tied", changes: { hasTiedEmbeddings: true }, layout: "q8", digits: 0 },
    { name: "a norm that subtracts the mean", changes: { norm: "layer" }, layout: "f32", digits: 4 },
  ])("are plain loops' with $name", async ({ changes, layout, digits }) => {
    const config = { ...tinyConfig, ...changes };
    const { model, dispose } = uploadModel(config, tinyArrays(config), layout);
    const sae = tinySae();
    const before = memory().numTensors;
    const logits = await directLogits({ model, weights: referenceWeights(model), sae }, feature);
    expect(memory().numTensors).toBe(before);
    const rows = await read(sae.decoder!.weight);
    const expected = expectedLogits(config, [...rows.subarray(feature * 16, (feature + 1) * 16)]);
    expect(logits).toHaveLength(config.vocabularySize);
    expected.forEach((value, id) => expect(logits![id]).toBeCloseTo(value, digits));
    sae.dispose();
    dispose();
  });

  it("are the same with a head in shards", async () => {
    const { model, dispose } = uploadModel(tinyConfig, tinyArrays());
    const sae = tinySae();
    const weights = referenceWeights(model);
    const { vocabularySize, hiddenSize } = tinyConfig;
    const { values } = tinyArrays().get(headName(tinyConfig))!;
    const options = { layout: "f32", largestBytes: 15 * hiddenSize * 4 } as const;
    const head = packShards(Float32Array.from(values), [vocabularySize, hiddenSize], options);
    const base = new Map([...weights.base, [headName(tinyConfig), head]]);
    expect(await directLogits({ model, weights: { ...weights, base }, sae }, feature)).toEqual(
      await directLogits({ model, weights, sae }, feature),
    );
    sae.dispose();
    dispose();
  });

  it("are none without a decoder, and refused for an unknown feature", async () => {
    const { model, dispose } = uploadModel(tinyConfig, tinyArrays());
    const sae = tinySae();
    const reader = { model, weights: referenceWeights(model), sae };
    expect(await directLogits({ ...reader, sae: { ...sae, decoder: null } }, feature)).toBeNull();
    await expect(directLogits(reader, 24)).rejects.toThrow("Feature 24 is unknown");
    sae.dispose();
    dispose();
  });
});
