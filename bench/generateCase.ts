/** Greedy decoding with a key-value cache beside a whole pass for every token, in turn on one device. */
import { flatBatch } from "../src/engine/data/batch.ts";
import { generate } from "../src/engine/generation/generate.ts";
import { sample } from "../src/engine/kernels/sample/sample.ts";
import type { Model } from "../src/engine/models/decoder.ts";
import { headLogits } from "../src/engine/models/headLogits.ts";
import { uploadModel } from "../src/engine/models/loadModel.ts";
import type { Weights } from "../src/engine/models/weights.ts";
import { openDevice } from "../src/engine/tensor/device.ts";
import { dispose, read, tidy, zeros } from "../src/engine/tensor/run.ts";
import { uploadBatch } from "../src/engine/training/deviceBatch.ts";
import { yielding } from "../src/engine/training/parts.ts";
import { createPolicy } from "../src/engine/training/policy.ts";
import { scoredStates } from "../src/engine/training/scoring.ts";
import { difference, gpuCounts, startGpuCounters } from "./gpuCounters.ts";
import { stepConfig } from "./ownStep.ts";
import { median, medianRatio, timesInTurn } from "./rounds.ts";
import { emptyRow, type GenerationRow, type Row } from "./row.ts";
import type { StepShape } from "./shapes.ts";

const NEW_TOKENS = 128;
/** Enough for every pipeline. */
const WARM_TOKENS = 2;
const PROMPTS = 4;
/** What the cache is promised to bring at this length. */
const GOAL = 5;
const MS_PER_SECOND = 1000;

/** Attributes of `sample` that take the likeliest token. */
const likeliest = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, softCap: 0, seed: 0, step: 0 };

/** A way to continue prompts by the likeliest tokens. */
type Way = (count: number) => Promise<number[][]>;

/** Tokens a second of both ways, and what each asks for a token of every prompt; throws when their texts differ. */
export async function measureGeneration(
  shape: StepShape,
  { rounds }: { readonly rounds: number },
): Promise<Row> {
  startGpuCounters();
  const device = await openDevice({ backend: "webgpu" });
  const prompts = shape.pairs.slice(0, PROMPTS).map(({ prompt }) => prompt);
  const promptTokens = prompts[0]?.length ?? 0;
  // A longer text than the model was trained on takes the same time as another.
  const maxPositions = Math.max(shape.config.maxPositions, promptTokens + NEW_TOKENS);
  const { model, dispose: close } = uploadModel(
    { ...shape.config, maxPositions },
    shape.arrays(),
    shape.layout,
  );
  const policy = createPolicy(model, stepConfig, shape.adapter());
  const greedy = { temperature: 0, seed: 0, stopTokenIds: [] };
  const ways: Record<GenerationRow["way"], Way> = {
    "key-value cache": (maxNewTokens) =>
      generate(model, policy.weights, prompts, { ...greedy, maxNewTokens }),
    "whole passes": (count) => continueWhole(model, policy.weights, { prompts, count }),
  };
  try {
    const generation = await compareWays(ways, rounds);
    return {
      ...emptyRow(shape.name, `${PROMPTS} prompts x (${promptTokens} + ${NEW_TOKENS}) tokens`),
      generation,
    };
  } finally {
    policy.dispose();
    close();
    device.close();
  }
}

async function compareWays(ways: Readonly<Record<GenerationRow["way"], Way>>, rounds: number) {
  const names = Object.keys(ways) as GenerationRow["way"][];
  const texts = new Map<string, string>();
  const counts = new Map<string, ReturnType<typeof gpuCounts>>();
  for (const name of names) await ways[name](WARM_TOKENS);
  const work = names.map((name) => {
    const take = async () => {
      const before = gpuCounts();
      texts.set(name, String(await ways[name](NEW_TOKENS)));
      counts.set(name, difference(gpuCounts(), before));
    };
    return [name, take] as const;
  });
  const times = await timesInTurn(Object.fromEntries(work), rounds);
  if (new Set(texts.values()).size !== 1) throw new Error("With a cache and without one the texts differ.");
  const secondsOf = (name: string) => (median(times[name] ?? []) ?? NaN) / MS_PER_SECOND;
  return names.map((way): GenerationRow => ({
    way,
    tokensPerSecond: (PROMPTS * NEW_TOKENS) / secondsOf(way),
    dispatchesPerToken: (counts.get(way)?.dispatches ?? NaN) / NEW_TOKENS,
    submitsPerToken: (counts.get(way)?.submits ?? NaN) / NEW_TOKENS,
    speedUp: way === "whole passes" ? null : medianRatio(times["whole passes"] ?? [], times[way] ?? []),
    goal: way === "whole passes" ? null : GOAL,
  }));
}

/** Passes over all texts, whole and together, each for one more token of every text. */
async function continueWhole(
  model: Model,
  weights: Weights,
  { prompts, count }: { readonly prompts: readonly Int32Array[]; readonly count: number },
): Promise<number[][]> {
  const texts = prompts.map((prompt) => [...prompt]);
  for (let step = 0; step < count; step++) {
    // The row of the last token is scored, whatever token follows it.
    const sequences = texts.map((text) => ({
      tokens: Int32Array.from([...text, 0]),
      scoredFrom: text.length,
    }));
    const batch = uploadBatch(flatBatch(sequences));
    const hidden = await yielding(scoredStates(model, weights, batch));
    const logits = tidy(() => headLogits(model, weights, hidden));
    const chosen = zeros([logits.shape[0] ?? 0], "int32");
    sample(logits, { streams: chosen, chosen, seen: null }, likeliest);
    const ids = await read(chosen);
    texts.forEach((text, index) => text.push(ids[index] ?? NaN));
    dispose([hidden, logits, chosen]);
    batch.dispose();
  }
  return texts.map((text, index) => text.slice(prompts[index]?.length));
}
