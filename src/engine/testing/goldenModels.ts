/** Tiny models of every architecture against what transformers computes for them (tools/golden), on the open backend. */
import { expect } from "vitest";
import { flatBatch } from "../data/batch.ts";
import { readSafetensors } from "../files/safetensors.ts";
import { lmHeadLogProbs, statisticsWidth } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { openCheckpoint, type NamedArrays } from "../models/checkpoint.ts";
import { distinctWindows, readModelConfig, type ModelConfig } from "../models/config.ts";
import { decoderLayer, embedTokens, headName, scoredHidden, type Model } from "../models/decoder.ts";
import { generate } from "../generation/generate.ts";
import { uploadModel } from "../models/loadModel.ts";
import { matrix, parameter, referenceWeights, type AdapterTensors, type Weights } from "../models/weights.ts";
import { dispose, memory, read, tensor, tidy } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { valueAndVjp } from "../tensor/vjp.ts";
import { uploadBatch, type DeviceBatch } from "../training/deviceBatch.ts";
import { scoreBatch } from "../training/scoring.ts";
import { readGolden } from "./fixtures.ts";
import { argmax, boundLogits, uncachedLogits } from "./uncachedDecoding.ts";

/** Folders of tools/golden, see tools/golden/cases.py. */
export const goldenNames = [
  "llama-llama3",
  "llama-linear",
  "gpt2",
  "gpt_neox",
  "gpt_neox-sequential",
  "qwen2",
  "qwen3",
  "gemma2",
  "gemma3_text",
  "gemma3_text-layers",
  "smollm3",
] as const;

/** Largest difference of a logit. */
const LOGIT_TOLERANCE = 1e-4;
/** Largest difference of a gradient, as a share of the largest gradient. */
const GRADIENT_TOLERANCE = 1e-3;

/** Longer than every window. */
const NEW_TOKENS = 8;

/** What transformers computes, sequence by sequence, in float64. */
interface Golden {
  readonly tokens: readonly number[][];
  /** [tokens − 1, vocabulary] each */
  readonly logits: readonly number[][];
  /** Mean of the log-probs of all tokens but the first of each sequence. */
  readonly meanLogp: number;
  /** Its gradient by what enters the first layer: [tokens, hidden] each */
  readonly gradient: readonly number[][];
  /** Logits with the adapter of the same folder, where there is one. */
  readonly adaptedLogits?: readonly number[][];
}

/** Files of one golden model. */
export interface GoldenModel {
  readonly config: ModelConfig;
  /** By the checkpoint's names. */
  readonly stored: NamedArrays;
  readonly golden: Golden;
}

/** Reads one golden model. */
export async function readGoldenModel(name: string): Promise<GoldenModel> {
  const json = async (file: string): Promise<unknown> =>
    JSON.parse(new TextDecoder().decode(await readGolden(`${name}/${file}`)));
  return {
    config: readModelConfig(await json("config.json"), "config.json"),
    stored: readSafetensors(await readGolden(`${name}/model.safetensors`), "model.safetensors"),
    golden: (await json("golden.json")) as Golden,
  };
}

/** What the decoder computes of a golden model's tokens. */
interface Computed {
  readonly logits: Float32Array;
  readonly meanLogp: number;
  readonly gradient: Float32Array;
}

/** Logits, mean log-prob and its gradient as the decoder and the tape compute them, if the options are `decoded`. */
export async function computeGolden(
  { config, stored, golden }: GoldenModel,
  { decoded = config, adapters = null }: { decoded?: ModelConfig; adapters?: HostAdapters | null } = {},
): Promise<Computed> {
  const arrays = openCheckpoint(config, stored, "model.safetensors");
  const { model, dispose: close } = uploadModel(decoded, arrays);
  const sequences = golden.tokens.map((tokens) => ({ tokens: Int32Array.from(tokens), scoredFrom: 1 }));
  const batch = uploadBatch(flatBatch(sequences), distinctWindows(decoded));
  const modules = adapters === null ? new Map<string, AdapterTensors>() : upload(adapters);
  const computed = await computeBatch(model, { ...referenceWeights(model), adapters: modules }, batch);
  dispose([...modules.values()].flatMap(({ a, b }) => [a, b]));
  batch.dispose();
  close();
  return computed;
}

/** Adapters by the decoder's names, and the factor of all of them. */
export interface HostAdapters {
  readonly arrays: NamedArrays;
  readonly scale: number;
}

function upload({ arrays, scale }: HostAdapters): Map<string, AdapterTensors> {
  const adapters = new Map<string, AdapterTensors>();
  for (const [name, a] of arrays) {
    const module = /^(.+)\.lora_A\.weight$/.exec(name)?.[1];
    const b = arrays.get(`${module}.lora_B.weight`);
    if (module === undefined || b === undefined) continue;
    adapters.set(module, { a: tensor(a.values, a.shape), b: tensor(b.values, b.shape), scale });
  }
  return adapters;
}

/** The worst difference of a logit from a golden model's, were one of its options another. */
export async function logitError(name: string, change: Partial<ModelConfig>): Promise<number> {
  const opened = await readGoldenModel(name);
  const { logits } = await computeGolden(opened, { decoded: { ...opened.config, ...change } });
  return worstDifference(logits, opened.golden.logits.flat());
}

async function computeBatch(model: Model, weights: Weights, batch: DeviceBatch): Promise<Computed> {
  const entries = batch.flat.labels.length;
  const upstream = new Float32Array(entries * statisticsWidth);
  for (let entry = 0; entry < entries; entry++) upstream[entry * statisticsWidth] = 1 / entries;
  const stream = tidy(() => embedTokens(model, weights, batch.rows));
  const hiddenOf = (): Tensor => {
    let x = stream;
    for (let layer = 0; layer < model.config.layers; layer++) {
      x = decoderLayer(model, weights, layer, { x, rows: batch.rows });
    }
    return scoredHidden(model, weights, x, batch.scored);
  };
  const logits = tidy(() => matmul(hiddenOf(), parameter(weights, headName(model.config)), { form: "abt" }));
  const score = () => [
    lmHeadLogProbs({
      hidden: hiddenOf(),
      weight: matrix(weights, headName(model.config)),
      labels: batch.labels,
      softCap: model.config.logitSoftCap ?? 0,
    }),
  ];
  const dy = tensor(upstream, [entries, statisticsWidth]);
  const { values, gradients } = valueAndVjp(score, [stream], [dy]);
  const [statistics, gradient] = await Promise.all([...values, ...gradients].map(read));
  const bounded = Float32Array.from(await read(logits));
  boundLogits(model.config, bounded);
  dispose([stream, logits, dy, ...values, ...gradients]);
  let sum = 0;
  for (let entry = 0; entry < entries; entry++) sum += statistics?.[entry * statisticsWidth] ?? NaN;
  return { logits: bounded, meanLogp: sum / entries, gradient: Float32Array.from(gradient ?? []) };
}

/** Log-probs through the pass that training takes, which fuses layers of the common shape, sum up to the golden one. */
export async function checkGoldenPass(name: string): Promise<void> {
  const { config, stored, golden } = await readGoldenModel(name);
  const { model, dispose: close } = uploadModel(config, openCheckpoint(config, stored, "model.safetensors"));
  const weights = referenceWeights(model);
  const sequences = golden.tokens.map((tokens) => ({ tokens: Int32Array.from(tokens), scoredFrom: 1 }));
  const batch = uploadBatch(flatBatch(sequences), distinctWindows(config));
  const { logps } = await scoreBatch(model, weights, batch);
  batch.dispose();
  close();
  const expected = golden.tokens.flatMap((tokens, sequence) =>
    logpsOf(golden.logits[sequence] ?? [], tokens),
  );
  expect(worstDifference(logps, expected)).toBeLessThanOrEqual(LOGIT_TOLERANCE);
}

/** Log-probs of all tokens but the first, from the logits [tokens − 1, vocabulary] before each. */
function logpsOf(logits: readonly number[], tokens: readonly number[]): number[] {
  const width = logits.length / (tokens.length - 1);
  return tokens.slice(1).map((token, row) => {
    const own = logits.slice(row * width, (row + 1) * width);
    const sum = own.reduce((total, logit) => total + Math.exp(logit), 0);
    return (own[token] ?? NaN) - Math.log(sum);
  });
}

/** Texts written with a cache, two at once, are those of whole forward passes. */
export async function checkGoldenDecoding(name: string): Promise<void> {
  const { config, stored, golden } = await readGoldenModel(name);
  const { model, dispose: close } = uploadModel(config, openCheckpoint(config, stored, "model.safetensors"));
  const weights = referenceWeights(model);
  const prompts = golden.tokens.map((tokens, index) => Int32Array.from(tokens.slice(0, 2 + 5 * index)));
  const options = { maxNewTokens: NEW_TOKENS, temperature: 0, seed: 0, stopTokenIds: [] };
  const answers = await generate(model, weights, prompts, options);
  for (const [index, prompt] of prompts.entries()) {
    const text = [...prompt];
    while (text.length < prompt.length + NEW_TOKENS)
      text.push(argmax(await uncachedLogits(model, weights, text)));
    expect(answers[index]).toEqual(text.slice(prompt.length));
  }
  close();
}

/** How far two lists lie apart at most. */
export function worstDifference(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce(
    (worst, value, index) => Math.max(worst, Math.abs(value - (actual[index] ?? NaN))),
    0,
  );
}

/** Logits, mean log-prob and gradient of one golden model, and nothing left on the device. */
export async function checkGoldenModel(name: string): Promise<void> {
  const opened = await readGoldenModel(name);
  const { golden } = opened;
  const before = memory().numTensors;
  const { logits, meanLogp, gradient } = await computeGolden(opened);
  expect(memory().numTensors).toBe(before);
  expect(worstDifference(logits, golden.logits.flat()), "logits").toBeLessThanOrEqual(LOGIT_TOLERANCE);
  expect(Math.abs(meanLogp - golden.meanLogp), "mean log-prob").toBeLessThanOrEqual(LOGIT_TOLERANCE);
  const expected = golden.gradient.flat();
  const largest = Math.max(...expected.map(Math.abs));
  expect(worstDifference(gradient, expected), "gradient").toBeLessThanOrEqual(GRADIENT_TOLERANCE * largest);
}
