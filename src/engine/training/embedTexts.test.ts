import { beforeEach, describe, expect, it } from "vitest";
import { flatBatch } from "../data/batch.ts";
import type { Model } from "../models/decoder.ts";
import { tapedPass } from "../models/tapedPass.ts";
import { referenceWeights } from "../models/weights.ts";
import { memory, read } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyConfig } from "../testing/tinyModel.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { embedTexts } from "./embedTexts.ts";

let model: Model;

beforeEach(async () => {
  await openTestDevice("cpu");
  ({ model } = createTinyModel());
});

/** The mean of the final states of a text alone, on the tape. */
async function alone(tokens: Int32Array): Promise<number[]> {
  const batch = uploadBatch(flatBatch([{ tokens: Int32Array.from([...tokens, 7]), scoredFrom: 1 }]));
  const pass = tapedPass({ model, weights: referenceWeights(model), rows: batch.rows, keeps: "nothing" });
  pass.embed();
  for (let layer = 0; layer < model.config.layers; layer++) pass.forward(layer);
  const states = await read(pass.scored(batch.scored));
  pass.dispose();
  batch.dispose();
  return Array.from({ length: tinyConfig.hiddenSize }, (_, column) => {
    const rows = [...tokens.keys()].map((row) => states[row * tinyConfig.hiddenSize + column] ?? NaN);
    return rows.reduce((sum, value) => sum + value, 0) / tokens.length;
  });
}

describe("embedTexts", () => {
  it("pools the states of all tokens of every text, whatever stands beside it", async () => {
    // Together they have more rows than run at once.
    const texts = Array.from({ length: 60 }, (_, text) =>
      Int32Array.from(
        { length: text === 1 ? 0 : 1 + ((7 * text) % 40) },
        (_, at) => 3 + ((text * 5 + at) % 30),
      ),
    );
    const before = memory().numTensors;
    const means = await embedTexts(model, texts);
    expect(memory().numTensors).toBe(before);
    expect([...(means[1] ?? [])].every((value) => value === 0)).toBe(true);
    for (const index of [0, 2, 17, 59]) {
      const expected = await alone(texts[index] ?? new Int32Array());
      expected.forEach((value, at) => expect(means[index]?.[at]).toBeCloseTo(value, 5));
    }
  });

  it("reads no further than the model's positions", async () => {
    const long = Int32Array.from({ length: 90 }, (_, at) => 3 + (at % 30));
    const [whole, start] = await embedTexts(model, [long, long.subarray(0, tinyConfig.maxPositions - 1)]);
    expect(whole).toEqual(start);
  });
});
