/** Logits without a cache: one forward pass over the whole text for every token. */
import { flatBatch } from "../data/batch.ts";
import { steerPass, type FeatureSteering } from "../generation/steering.ts";
import { linear } from "../kernels/linear/linear.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { distinctWindows } from "../models/config.ts";
import type { ModelConfig } from "../models/config.ts";
import { headName, type Model } from "../models/decoder.ts";
import { tapedPass } from "../models/tapedPass.ts";
import { parameter, wholeMatrix, type Weights } from "../models/weights.ts";
import { dispose, read, tidy } from "../tensor/run.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { atOnce } from "../training/parts.ts";
import { scoredStates } from "../training/scoring.ts";

/** Logits after the last token of a text, [vocabulary]; steered where asked for. */
export async function uncachedLogits(
  model: Model,
  weights: Weights,
  text: readonly number[],
  steering?: FeatureSteering,
): Promise<ArrayLike<number>> {
  // The row of the last token is scored, whatever token follows it.
  const sequence = { tokens: Int32Array.from([...text, 0]), scoredFrom: text.length };
  const batch = uploadBatch(flatBatch([sequence]), distinctWindows(model.config));
  const pass = tapedPass({ model, weights, rows: batch.rows, keeps: "nothing" });
  pass.embed();
  for (let layer = 0; layer < model.config.layers; layer++) {
    pass.forward(layer);
    if (steering?.sae.layer === layer) steerPass(pass, batch.rows.tokenIds, steering);
  }
  const hidden = pass.scored(batch.scored);
  const logits = tidy(() => linear(hidden, { weight: wholeMatrix(weights, headName(model.config)) }));
  const values = await read(logits);
  boundLogits(model.config, values);
  logits.dispose();
  pass.dispose();
  batch.dispose();
  return values;
}

/** Likeliest tokens without a cache, by the pass that training takes: every text whole for each of its tokens. */
export async function generateUncached(
  model: Model,
  weights: Weights,
  prompts: readonly Int32Array[],
  count: number,
): Promise<number[][]> {
  const texts = prompts.map((prompt) => [...prompt]);
  for (let step = 0; step < count; step++) {
    const sequences = texts.map((text) => ({
      tokens: Int32Array.from([...text, 0]),
      scoredFrom: text.length,
    }));
    const batch = uploadBatch(flatBatch(sequences), distinctWindows(model.config));
    const hidden = atOnce(scoredStates(model, weights, batch));
    const logits = matmul(hidden, parameter(weights, headName(model.config)), { form: "abt" });
    const values = await read(logits);
    dispose([hidden, logits]);
    batch.dispose();
    const width = model.config.vocabularySize;
    texts.forEach((text, row) => text.push(argmax(values.subarray(row * width, (row + 1) * width))));
  }
  return texts.map((text, index) => text.slice(prompts[index]?.length));
}

/** Bounds logits that were read back, where the model does so; in place. */
export function boundLogits({ logitSoftCap }: ModelConfig, logits: Float32Array | Int32Array): void {
  if (logitSoftCap === null) return;
  for (const [index, logit] of logits.entries())
    logits[index] = logitSoftCap * Math.tanh(logit / logitSoftCap);
}

/** Index of the largest logit; ties go to the lowest id. */
export function argmax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) {
    if ((logits[id] ?? -Infinity) > (logits[best] ?? -Infinity)) best = id;
  }
  return best;
}

/** How far the logit of `token` lies below the largest one: 0 for the greedy choice. */
export function shortfall(logits: ArrayLike<number>, token: number): number {
  return Math.max(...Array.from(logits)) - (logits[token] ?? NaN);
}
