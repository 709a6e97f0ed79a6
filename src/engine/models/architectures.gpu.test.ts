import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkGoldenModel, goldenNames } from "../testing/goldenModels.ts";

describe("the decoder on WebGPU computes what transformers does", () => {
  beforeEach(async () => {
    await openTestDevice("webgpu");
  });

  it.each(goldenNames)("for %s: logits, mean log-prob and gradient", (name) => checkGoldenModel(name));
});
