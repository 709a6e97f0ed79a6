import { expect, it } from "vitest";
import { defaultConfig, runConfigSchema, type RunConfig } from "../engine/training/config.ts";
import { memoryRemedies } from "./memoryRemedies.ts";

const facts = { layers: 4, keepsLayers: true };
const wordsOf = (changes: Partial<RunConfig>, { keepsLayers = true } = {}) =>
  memoryRemedies({ ...defaultConfig, ...changes }, { ...facts, keepsLayers }).map(({ words }) => words);

it("names what costs least first", () => {
  expect(wordsOf({})).toEqual(["a batch of 4", "layers computed again", "the last 2 layers alone", "rank 4"]);
  expect(wordsOf({ topLayers: 2 }, { keepsLayers: false })).toEqual([
    "a batch of 4",
    "the last layer alone",
    "rank 4",
  ]);
});

it("offers nothing that is given up already, and no adapter where there is none", () => {
  expect(wordsOf({ batchPairs: 1, topLayers: 1, loraRank: 1 }, { keepsLayers: false })).toEqual([]);
  expect(wordsOf({ tuning: "full", batchPairs: 1 })).toEqual(["layers computed again"]);
});

it("leaves what a step learns as it was", () => {
  const [batch, , , rank] = memoryRemedies({ ...defaultConfig, accumulationSteps: 3 }, facts);
  expect(batch?.patch).toEqual({ batchPairs: 4, accumulationSteps: 6 });
  expect(rank?.patch).toEqual({ loraRank: 4, loraAlpha: 8 });
});

it("stays within what can be trained, however often it is taken", () => {
  let config: RunConfig = { ...defaultConfig, batchPairs: 256, accumulationSteps: 64, loraRank: 128 };
  for (let round = 0; round < 40; round++) {
    const keepsLayers = config.checkpointing !== "on";
    const [remedy] = memoryRemedies(config, { layers: 28, keepsLayers });
    if (remedy === undefined) break;
    config = runConfigSchema.parse({ ...config, ...remedy.patch });
  }
  expect(config).toMatchObject({ batchPairs: 1, checkpointing: "on", topLayers: 1, loraRank: 1 });
});
