import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import {
  checkGoldenDecoding,
  checkGoldenModel,
  checkGoldenPass,
  goldenNames,
} from "../testing/goldenModels.ts";

describe("the decoder on WebGPU computes what transformers does", () => {
  beforeEach(async () => {
    await openTestDevice("webgpu");
  });

  it.each(goldenNames)("for %s: logits, mean log-prob and gradient", (name) => checkGoldenModel(name));

  it.each(goldenNames)("for %s: log-probs as training takes them", (name) => checkGoldenPass(name));

  it.each(goldenNames)("for %s: text", { timeout: 60_000 }, (name) => checkGoldenDecoding(name));
});
