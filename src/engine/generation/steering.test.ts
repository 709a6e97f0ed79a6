import { beforeEach, describe, expect, it } from "vitest";
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import { uploadSae, type SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { argmax, uncachedLogits } from "../testing/uncachedDecoding.ts";
import { createPolicy } from "../training/policy.ts";
import { randomAdapter, tinyRun, tinySae } from "../training/tinyRun.testing.ts";
import { generate, type GenerationOptions } from "./generate.ts";
import type { FeatureSteering } from "./steering.ts";

let model: Model;
let weights: Weights;
let sae: SparseAutoencoder;

/** Texts with and without the start of a text, token 1. */
const prompts = [[5], [1, 7, 12, 30, 8, 9, 22, 4, 3], [1, 40, 2]].map((ids) => Int32Array.from(ids));
const greedy: GenerationOptions = { maxNewTokens: 10, temperature: 0, seed: 3, stopTokenIds: [] };

beforeEach(async () => {
  await openTestDevice("cpu");
  ({ model } = createTinyModel());
  ({ weights } = createPolicy(model, tinyRun(model).config, randomAdapter(model, 4)));
  sae = tinySae();
});

const steered = (change: Partial<FeatureSteering>): FeatureSteering => ({
  sae,
  feature: 3,
  mode: "add",
  value: 2,
  startToken: null,
  ...change,
});

describe("steered decoding", () => {
  it.each([
    { mode: "add", value: 2, startToken: null },
    { mode: "add", value: -1.5, startToken: 1 },
    { mode: "clamp", value: 3, startToken: null },
    { mode: "clamp", value: 0, startToken: 1 },
  ] as const)("continues as whole passes on the tape do: $mode $value, start $startToken", async (change) => {
    const steering = steered(change);
    const before = memory().numTensors;
    const answers = await generate(model, weights, prompts, { ...greedy, steering });
    expect(memory().numTensors).toBe(before);
    for (const [index, prompt] of prompts.entries()) {
      const text = [...prompt];
      while (text.length < prompt.length + greedy.maxNewTokens)
        text.push(argmax(await uncachedLogits(model, weights, text, steering)));
      expect(answers[index]).toEqual(text.slice(prompt.length));
    }
    expect(answers).not.toEqual(await generate(model, weights, prompts, greedy));
  });

  it("leaves the start of a text alone where it is named", async () => {
    const [start] = [[Int32Array.of(1)]];
    const one = { ...greedy, maxNewTokens: 1 };
    const free = await generate(model, weights, start, one);
    const strong = { mode: "add", value: 50 } as const;
    const skipping = await generate(model, weights, start, {
      ...one,
      steering: steered({ ...strong, startToken: 1 }),
    });
    expect(skipping).toEqual(free);
    const touching = await generate(model, weights, start, { ...one, steering: steered(strong) });
    expect(touching).not.toEqual(free);
  });

  it.each([0, 1.2])("changes nothing when nothing is added, at temperature %s", async (temperature) => {
    const options = { ...greedy, temperature };
    const steering = steered({ value: 0 });
    expect(await generate(model, weights, prompts, { ...options, steering })).toEqual(
      await generate(model, weights, prompts, options),
    );
    const [text = []] = prompts.map((prompt) => [...prompt]);
    expect(await uncachedLogits(model, weights, text, steering)).toEqual(
      await uncachedLogits(model, weights, text),
    );
  });

  it("refuses what it cannot steer, before anything runs", async () => {
    const expectRefusal = (change: Partial<FeatureSteering>, message: string) =>
      expect(generate(model, weights, prompts, { ...greedy, steering: steered(change) })).rejects.toThrow(
        new RangeError(message),
      );
    await expectRefusal({ feature: 24 }, "Feature 24 is unknown: the autoencoder has 0 to 23.");
    await expectRefusal({ feature: -1 }, "Feature -1 is unknown: the autoencoder has 0 to 23.");
    await expectRefusal({ feature: 1.5 }, "Feature 1.5 is unknown: the autoencoder has 0 to 23.");
    await expectRefusal({ value: NaN }, "A feature cannot be steered by NaN.");
    const encoderAlone = uploadSae({
      inputSize: 16,
      width: 4,
      layer: 0,
      hook: "blocks.0.hook_resid_post",
      modelName: null,
      encoder: new Float32Array(64),
      bias: new Float32Array(4),
      threshold: new Float32Array(4),
      decoder: null,
      decoderBias: null,
    });
    await expectRefusal(
      { sae: encoderAlone },
      "The autoencoder has no decoder to steer with: load it with needsDecoder.",
    );
  });
});
