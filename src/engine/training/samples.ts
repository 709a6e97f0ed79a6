/** Answers of the policy to fixed held-out prompts, beside what the reference thinks of every token. */
import { flatBatch, type ScoredSequence } from "../data/batch.ts";
import { generate, promptsAtOnce } from "../generation/generate.ts";
import type { Judge } from "../judges/judge.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights, type Weights } from "../models/weights.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { scoreBatch } from "./scoring.ts";

/** Prompts that are followed from before a run to its end. */
export const followedPrompts = 4;

/** A prompt that is sampled again and again. */
export interface SamplePrompt {
  readonly text: string;
  readonly ids: Int32Array;
}

/** How prompts are answered. */
export interface SampleSettings {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly judge: Judge | null;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly seed: number;
}

/** One answer; arrays have one value per token. */
export interface SampledAnswer {
  readonly prompt: string;
  readonly mode: "greedy" | "seeded";
  readonly text: string;
  readonly tokens: readonly string[];
  /** log p(policy) − log p(reference) of each token. */
  readonly tokenDeltas: readonly number[];
  readonly judgeScore: number | null;
}

/** Answers every prompt in one mode, with the same seed each time. */
export async function samplePrompts(
  settings: SampleSettings,
  weights: Weights,
  prompts: readonly SamplePrompt[],
  mode: SampledAnswer["mode"],
): Promise<SampledAnswer[]> {
  const { model, tokenizer, judge, maxNewTokens, seed } = settings;
  const answers = await generate(
    model,
    weights,
    prompts.map(({ ids }) => ids),
    {
      maxNewTokens,
      temperature: mode === "greedy" ? 0 : settings.temperature,
      seed,
      stopTokenIds: tokenizer.stopTokenIds,
    },
  );
  const deltas = await answerDeltas(model, weights, prompts, answers);
  return prompts.map((prompt, index) => {
    const ids = answers[index] ?? [];
    const after = [...prompt.ids];
    const text = tokenizer.decode(ids, { after });
    return {
      prompt: prompt.text,
      mode,
      text,
      tokens: tokenizer.decodeTokens(ids, { after }),
      tokenDeltas: deltas[index] ?? [],
      judgeScore: judge === null ? null : judge.score(prompt.text, text),
    };
  });
}

/** Per token: log p(policy) − log p(reference); an empty answer has none. */
async function answerDeltas(
  model: Model,
  weights: Weights,
  prompts: readonly SamplePrompt[],
  answers: readonly (readonly number[])[],
): Promise<number[][]> {
  const deltas = answers.map((): number[] => []);
  const written = answers.flatMap((answer, index) => (answer.length > 0 ? [index] : []));
  for (let start = 0; start < written.length; start += promptsAtOnce) {
    const some = written.slice(start, start + promptsAtOnce);
    const sequences = some.map((index) => {
      const prompt = prompts[index]?.ids ?? new Int32Array();
      return { tokens: Int32Array.from([...prompt, ...(answers[index] ?? [])]), scoredFrom: prompt.length };
    });
    const found = await sequenceDeltas(model, weights, sequences);
    some.forEach((index, place) => {
      deltas[index] = found[place] ?? [];
    });
  }
  return deltas;
}

/** The differences of a few sequences, each with a value per scored token. */
async function sequenceDeltas(
  model: Model,
  weights: Weights,
  sequences: readonly ScoredSequence[],
): Promise<number[][]> {
  const deltas = sequences.map((): number[] => []);
  const batch = uploadBatch(flatBatch(sequences), distinctWindows(model.config));
  try {
    const policy = await scoreBatch(model, weights, batch);
    const reference = await scoreBatch(model, referenceWeights(model), batch);
    batch.flat.entrySequence.forEach((sequence, entry) => {
      deltas[sequence]?.push((policy.logps[entry] ?? NaN) - (reference.logps[entry] ?? NaN));
    });
    return deltas;
  } finally {
    batch.dispose();
  }
}

/** Whether the text is sampled after this step: 0, 1, 2, 4, 8 … steps, so that early change is seen. */
export function isSampleStep(step: number): boolean {
  return step === 0 || Number.isInteger(Math.log2(step));
}

/** Mean of the judge's scores; null when nothing was judged. */
export function meanScore(answers: readonly SampledAnswer[]): number | null {
  const scores = answers.flatMap(({ judgeScore }) => judgeScore ?? []);
  return scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/**
 * Diagnostics of sampled answers by metric name. `kl/reverseEstimate` is the mean over the answers of the summed
 * log p(policy) − log p(reference), in nats: an estimate of KL(policy ‖ reference) that is unbiased at temperature 1.
 */
export function sampleMetrics(answers: readonly SampledAnswer[]): Record<string, number> {
  if (answers.length === 0) return {};
  const mean = (valueOf: (answer: SampledAnswer) => number) =>
    answers.reduce((sum, answer) => sum + valueOf(answer), 0) / answers.length;
  return {
    "kl/reverseEstimate": mean(({ tokenDeltas }) => tokenDeltas.reduce((sum, delta) => sum + delta, 0)),
    "samples/length": mean(({ tokens }) => tokens.length),
  };
}
