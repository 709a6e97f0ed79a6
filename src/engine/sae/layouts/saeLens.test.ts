import { describe, expect, it } from "vitest";
import { FileFormatError } from "../../files/fileFormatError.ts";
import { randomValues } from "../../tensor/testing.ts";
import { readSae } from "../readSae.ts";
import {
  codeOf,
  expectedArrays,
  inputSize,
  jsonFile,
  published,
  saeLensConfig,
  saeLensFiles,
  width,
  type StoredArray,
} from "../saeFiles.testing.ts";
import type { ReadSaeOptions, SaeFile } from "./layout.ts";

const whole = { needsDecoder: true };
const rows = Array.from({ length: 20 }, (_, seed) => randomValues(100 + seed, [inputSize], 2));
const { threshold: _, ...withoutThreshold } = published;
const scalar: StoredArray = { shape: [], values: Float32Array.of(0.25) };
const old = {
  d_in: inputSize,
  d_sae: width,
  hook_point: "blocks.2.hook_resid_post",
  hook_point_layer: 2,
  model_name: "old",
};

/** What SAELens does, step by step, over the arrays as they are published. */
interface Steps {
  readonly scale?: number;
  readonly isShifted?: boolean;
  readonly isRescaled?: boolean;
  readonly threshold?: (feature: number) => number;
}

function stepByStep(row: Float32Array, { scale = 1, isShifted, isRescaled, threshold = () => 0 }: Steps) {
  const { W_enc, b_enc, W_dec, b_dec } = published;
  const input = Array.from(row, (x, i) => x * scale - (isShifted ? b_dec.values[i]! : 0));
  const norms = Array.from({ length: width }, (_, feature) =>
    isRescaled ? Math.hypot(...W_dec.values.subarray(feature * inputSize, (feature + 1) * inputSize)) : 1,
  );
  const code = norms.map((norm, feature) => {
    const sum = input.reduce(
      (total, x, i) => total + x * W_enc.values[i * width + feature]!,
      b_enc.values[feature]!,
    );
    return sum * norm > Math.max(threshold(feature), 0) ? sum * norm : 0;
  });
  const back = input.map((_, i) => {
    const start = b_dec.values[i]!;
    const sum = code.reduce(
      (total, c, j) => total + (c / norms[j]!) * W_dec.values[j * inputSize + i]!,
      start,
    );
    return sum / scale;
  });
  return { code, back };
}

async function expectSame(
  files: readonly SaeFile[],
  steps: Steps,
  options: ReadSaeOptions = {},
): Promise<void> {
  const arrays = await readSae(files, { ...whole, ...options });
  let active = 0;
  for (const row of rows) {
    const [actual, expected] = [codeOf(arrays, row), stepByStep(row, steps)];
    expected.code.forEach((value, j) => expect(actual.code[j]).toBeCloseTo(value, 5));
    expected.back.forEach((value, i) => expect(actual.back[i]).toBeCloseTo(value, 5));
    active += expected.code.filter((value) => value > 0).length;
  }
  // Neither all features are active nor none, or nothing was compared.
  expect(active).toBeGreaterThan(rows.length / 2);
  expect(active).toBeLessThan(rows.length * width);
  const half = await readSae(files, options);
  expect(half).toEqual({ ...arrays, decoder: null, decoderBias: null });
}

const ownThreshold = (feature: number) => published.threshold.values[feature]!;

describe("SAELens before version 6", () => {
  it("reads the oldest names, with the defaults of their time", async () => {
    const files = saeLensFiles(old, withoutThreshold);
    await expectSame(files, { isShifted: true });
    const { layer, hook, modelName } = await readSae(files);
    expect({ layer, hook, modelName }).toEqual({
      layer: 2,
      hook: "blocks.2.hook_resid_post",
      modelName: "old",
    });
  });

  it("reads version 5", async () => {
    const { hook_point: hook_name, hook_point_layer: hook_layer, ...rest } = old;
    const config = {
      ...rest,
      hook_name,
      hook_layer,
      sae_lens_version: "5.3.0",
      architecture: "jumprelu",
      activation_fn_str: "relu",
      apply_b_dec_to_input: false,
      normalize_activations: "none",
      finetuning_scaling_factor: false,
    };
    await expectSame(saeLensFiles(config), { threshold: ownThreshold });
    expect(await readSae(saeLensFiles(config), whole)).toMatchObject(expectedArrays);
  });

  it("takes what goes into a block as what came out of the one before, and checks its number", async () => {
    const into = { ...old, hook_point: "blocks.8.hook_resid_pre", hook_point_layer: 8 };
    expect((await readSae(saeLensFiles(into, withoutThreshold))).layer).toBe(7);
    await expectRefusal(
      saeLensFiles({ ...into, hook_point_layer: 7 }, withoutThreshold),
      "hook_layer is 7, expected 8",
    );
  });

  it("passes over factors that are all ones, and refuses others", async () => {
    const factors = (value: number) => ({ shape: [width], values: new Float32Array(width).fill(value) });
    const files = (value: number) =>
      saeLensFiles(old, { ...withoutThreshold, scaling_factor: factors(value) });
    expect((await readSae(files(1))).encoder).toEqual(expectedArrays.encoder);
    await expectRefusal(files(1.5), "scaling_factor holds 1.5, expected ones alone");
  });
});

describe("what is folded in", () => {
  const measured = { ...saeLensConfig, normalize_activations: "expected_average_only_in" };

  it("is a factor of the stream, from an option or the file beside", async () => {
    const steps = { scale: 0.7, isShifted: true, threshold: ownThreshold };
    const config = { ...measured, apply_b_dec_to_input: true };
    await expectSame(saeLensFiles(config), steps, { activationScale: 0.7 });
    const beside = jsonFile("activation_scaler.json", { scaling_factor: 0.7 });
    await expectSame([...saeLensFiles(config), beside], steps);
    const files = saeLensFiles({ ...old, normalize_activations: true }, withoutThreshold);
    await expectSame(files, { scale: 2, isShifted: true }, { activationScale: 2 });
  });

  it("is refused where the factor is unknown", async () => {
    const words =
      'normalize_activations is "expected_average_only_in", expected none, or the factor that was measured';
    await expectRefusal(saeLensFiles(measured), words);
    await expectRefusal(
      [...saeLensFiles(measured), jsonFile("activation_scaler.json", { scaling_factor: null })],
      words,
    );
    await expectRefusal(saeLensFiles(measured), words, { activationScale: 0 });
  });

  it.each(["layer_norm", "constant_norm_rescale"])("is never %s, which depends on the row", (name) =>
    expectRefusal(
      saeLensFiles({ ...saeLensConfig, normalize_activations: name }),
      `normalize_activations is "${name}"`,
    ),
  );
});

describe("BatchTopK", () => {
  const config = { ...saeLensConfig, architecture: "batchtopk", k: 2.5 };

  it("is a JumpReLU with the threshold that training left, activations rescaled or not", async () => {
    const arrays = { ...withoutThreshold, topk_threshold: scalar };
    await expectSame(saeLensFiles(config, arrays), { threshold: () => 0.25 });
    const rescaled = { ...config, rescale_acts_by_decoder_norm: true, apply_b_dec_to_input: true };
    await expectSame(saeLensFiles(rescaled, arrays), {
      threshold: () => 0.25,
      isRescaled: true,
      isShifted: true,
    });
  });

  it("may have a threshold for each feature, and is refused with none", async () => {
    await expectSame(saeLensFiles(config), { threshold: ownThreshold });
    await expectRefusal(saeLensFiles(config, withoutThreshold), "the tensor threshold is missing");
  });
});

async function expectRefusal(
  files: readonly SaeFile[],
  words: string,
  options: ReadSaeOptions = {},
): Promise<void> {
  const reading = readSae(files, options);
  await expect(reading).rejects.toThrow(FileFormatError);
  await expect(reading).rejects.toThrow(words);
}

describe("what SAELens computes otherwise is refused by name", () => {
  it.each<readonly [string, object]>([
    [
      'architecture is "topk", expected standard, jumprelu or batchtopk',
      { ...saeLensConfig, architecture: "topk", k: 8 },
    ],
    ['architecture is "constructor"', { ...saeLensConfig, architecture: "constructor" }],
    [
      'activation_fn is "topk", expected relu',
      { ...old, activation_fn_str: "topk", activation_fn_kwargs: { k: 8 } },
    ],
    ['activation_fn is "tanh-relu"', { ...old, activation_fn: "tanh-relu" }],
    ["rescale_acts_by_decoder_norm is true", { ...saeLensConfig, rescale_acts_by_decoder_norm: true }],
    ['hook_point is "blocks.2.attn.hook_z"', { ...old, hook_point: "blocks.2.attn.hook_z" }],
    ["hook_head_index is 3", { ...old, hook_point_head_index: 3 }],
    ['sae_lens_version is "six"', { ...saeLensConfig, sae_lens_version: "six" }],
  ])("%s", (words, config) => expectRefusal(saeLensFiles(config), words));

  it("a tensor of a gated one", () =>
    expectRefusal(
      saeLensFiles(saeLensConfig, { ...published, b_gate: published.b_enc }),
      'holds "b_gate", whose effect is not computed',
    ));

  it("a standard one that has thresholds all the same", () =>
    expectRefusal(saeLensFiles({ ...saeLensConfig, architecture: "standard" }), 'holds "threshold"'));
});
