/** How often a step calls the device, and how large what it makes is: planned, so that nothing is computed. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { flatParameters } from "../adapters/parameters.ts";
import { pairBatch } from "../data/batch.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { uploadModel } from "../models/loadModel.ts";
import type { Plan } from "../tensor/planning.ts";
import type { FeatureMode } from "../sae/featureErrors.ts";
import { uploadSae } from "../sae/sparseAutoencoder.ts";
import { dispose, plan, zeros } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { readGoldenModel } from "../testing/goldenModels.ts";
import { tinyArrays, tinyPairs } from "../testing/tinyModel.ts";
import { defaultConfig } from "./config.ts";
import { planStep } from "./estimate.ts";
import { measuresNothing, type Measures } from "./measures.ts";
import { adamwDefaults, createOptimizer } from "./optimizer.ts";
import type { StepKeeps } from "./stepMemory.ts";

/** So much larger than any other width that a row of logits would be the largest tensor. */
const LARGE_VOCABULARY = 20_011;
const BYTES_PER_NUMBER = 4;
const PAIRS = 4;

// Weights are drawn at random, which takes a second where others compute as well.
vi.setConfig({ testTimeout: 30_000 });

beforeEach(() => openTestDevice("cpu"));

interface StepOptions {
  readonly layers: number;
  /** The golden model's own when left out. */
  readonly vocabularySize?: number;
  readonly keeps?: StepKeeps;
  readonly measures?: Measures;
  readonly isForwardAlone?: boolean;
}

/** A step over four pairs with adapters on every linear, in the shape of a golden model. */
async function planned(
  name: string,
  { keeps = "everything", measures = measuresNothing, isForwardAlone = false, ...changes }: StepOptions,
) {
  const golden = await readGoldenModel(name);
  const config = { ...golden.config, ...changes };
  const { model, dispose: close } = uploadModel(config, tinyArrays(config));
  const flat = pairBatch(tinyPairs(PAIRS, config));
  const made: Plan = planStep(model, defaultConfig, { flat, keeps }, { measures, isForwardAlone });
  close();
  return { ...made, tokens: flat.tokenIds.length };
}

/** Dispatches of a second layer. */
async function perLayer(name: string, keeps: StepKeeps) {
  const both = async (layers: number) => {
    const { dispatches: forward } = await planned(name, { layers, keeps, isForwardAlone: true });
    const { dispatches: whole } = await planned(name, { layers, keeps });
    return { forward, backward: whole - forward };
  };
  const [one, two] = [await both(1), await both(2)];
  return { forward: two.forward - one.forward, backward: two.backward - one.backward };
}

describe("a fused layer with adapters on all seven linears", () => {
  it.each([
    ["llama-llama3", 14],
    ["qwen2", 14],
    // The norms of queries and keys have a way back of their own.
    ["qwen3", 15],
  ])("takes few dispatches in %s: 8 forward, %i backward, 7 more when computed again", async (name, most) => {
    const whole = await perLayer(name, "everything");
    expect(whole.forward).toBeLessThanOrEqual(8);
    expect(whole.backward).toBeLessThanOrEqual(most);
    const again = await perLayer(name, "layerInputs");
    expect(again).toEqual({ forward: whole.forward, backward: whole.backward + 7 });
  });
});

describe("a step that compares features", () => {
  /** Dispatches that features add to a step of three layers, whose autoencoders read the stream after these. */
  async function added(name: string, layers: readonly number[], mode: FeatureMode) {
    const { config } = await readGoldenModel(name);
    const width = 40;
    const saes = layers.map((layer) => {
      const { hiddenSize: inputSize } = config;
      const matrix = new Float32Array(width * inputSize);
      const vector = new Float32Array(width);
      return uploadSae({
        inputSize,
        width,
        layer,
        hook: "",
        modelName: null,
        encoder: matrix,
        bias: vector,
        threshold: vector,
        decoder: null,
        decoderBias: null,
      });
    });
    const errors = { mode, topK: 5, heldFeatures: [1, 2] };
    const tap = { saes, startToken: null, errors };
    const measures = { ...measuresNothing, tap, evaluationTap: tap };
    const [plain, tapped] = [
      await planned(name, { layers: 3 }),
      await planned(name, { layers: 3, measures }),
    ];
    for (const sae of saes) sae.dispose();
    return tapped.dispatches - plain.dispatches;
  }

  // Pooling, its way back, and for fused layers the sum of a stream that the next layer would have added up itself.
  it.each([
    ["llama-llama3", [1], 3],
    ["llama-llama3", [2], 3],
    ["llama-llama3", [0, 1, 2], 9],
    ["gemma2", [1], 2],
    ["gemma2", [0, 2], 4],
  ] as const)("takes more dispatches in %s with autoencoders at %j: %i", async (name, layers, more) => {
    for (const mode of ["paper", "held"] as const) expect(await added(name, layers, mode)).toBe(more);
  });
});

describe("an update of the optimizer", () => {
  it.each([1, 40])("takes two dispatches for %i tensors", (count) => {
    const specs = Array.from({ length: count }, (_, index) => ({
      name: `w${index}`,
      shape: [3, 5 + index],
      values: null,
    }));
    const parameters = flatParameters(specs);
    const settings = { ...adamwDefaults, weightDecay: 0, maxGradNorm: 1 };
    const optimizer = createOptimizer(parameters, settings);
    const { dispatches } = plan(() => void optimizer.update(1e-3));
    expect(dispatches).toBe(2);
    optimizer.dispose();
    parameters.dispose();
  });
});

describe("what a step makes", () => {
  it("has its largest tensor seen by the plan", () => {
    const [hidden, weight] = [zeros([7, 2]), zeros([LARGE_VOCABULARY, 2])];
    const { largestBytes } = plan(() => void matmul(hidden, weight, { form: "abt" }));
    expect(largestBytes).toBe(BYTES_PER_NUMBER * 7 * LARGE_VOCABULARY);
    dispose([hidden, weight]);
  });

  it.each<[string, Measures]>([
    ["log-probs alone", measuresNothing],
    ["the KL to a live reference", { ...measuresNothing, hasTokenKl: true, isReferenceLive: true }],
  ])("is never as large as tokens times vocabulary, measuring %s", async (_, measures) => {
    for (const name of ["llama-llama3", "qwen2", "qwen3", "gemma2"]) {
      const { tokens, largestBytes } = await planned(name, {
        layers: 2,
        vocabularySize: LARGE_VOCABULARY,
        measures,
      });
      expect(largestBytes, name).toBeLessThan(BYTES_PER_NUMBER * tokens * LARGE_VOCABULARY);
      // Nor is it as large as a single row of logits, which no block of rows could hide.
      expect(largestBytes, name).toBeLessThan(BYTES_PER_NUMBER * LARGE_VOCABULARY);
    }
  });
});
