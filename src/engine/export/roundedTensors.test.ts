import { beforeEach, describe, expect, it } from "vitest";
import { standOn } from "../adapters/standing.ts";
import { openSafetensors, writeSafetensors } from "../files/safetensors.ts";
import { openCheckpoint } from "../models/checkpoint.ts";
import { uploadModel } from "../models/loadModel.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { readGoldenModel } from "../testing/goldenModels.ts";
import { randomHostAdapter, referenceLogits, worstOf } from "../training/standing.testing.ts";
import { mergedTensors } from "./mergedTensors.ts";
import { roundedTensors, roundingLayout } from "./roundedTensors.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("tensors as they were rounded for the device", () => {
  it.each([
    ["qwen3", "q8", "q_proj"],
    ["qwen3", "q4m", "q_proj"],
    ["gpt2", "q8", "o_proj"],
    ["gpt_neox", "q4m", "o_proj"],
  ] as const)("of %s in %s merge to what the device computes", async (name, layout, target) => {
    const { config, stored } = await readGoldenModel(name);
    const open = (arrays: typeof stored, as: "f32" | typeof layout) =>
      uploadModel(config, openCheckpoint(config, arrays, name), as).model;
    const packed = open(stored, layout);
    const sum = randomHostAdapter(packed, { seed: 1, rank: 2, targets: [target] });
    const expected = await referenceLogits(standOn(packed, sum).model);

    const base = await openSafetensors(writeSafetensors(stored), name);
    const merge = async (tensors: typeof base) => {
      const merged = mergedTensors(config, tensors, { sum, replaced: new Map() });
      const arrays = await Promise.all(
        [...merged].map(
          async ([key, { shape, values }]) => [key, { shape, values: await values() }] as const,
        ),
      );
      return referenceLogits(open(new Map(arrays), "f32"));
    };
    const found = await merge(roundedTensors(config, base, layout));
    expect(worstOf(found, expected)).toBeLessThanOrEqual(1e-4);
    expect(worstOf(await merge(base), expected)).toBeGreaterThan(1e-3);
    const merged = mergedTensors(config, roundedTensors(config, base, layout), { sum, replaced: new Map() });
    expect(new Set([...merged.values()].map(({ type }) => type))).toEqual(new Set(["F16"]));
  });

  it("are asked for by the settings that round to few bits", () => {
    expect(["keep", "f32", "f16", "q8", "q4"].map(roundingLayout)).toEqual([null, null, null, "q8", "q4m"]);
  });
});
