/** Logits without a cache: one forward pass over the whole text for every token. */
import { flatBatch } from "../data/batch.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { distinctWindows } from "../models/config.ts";
import { boundLogits, forwardLayers, headName, scoredHidden, type Model } from "../models/decoder.ts";
import { parameter, type Weights } from "../models/weights.ts";
import { dispose, read, tidy } from "../tensor/run.ts";
import { uploadBatch } from "../training/deviceBatch.ts";

/** Logits after the last token of a text, [vocabulary]. */
export async function uncachedLogits(
  model: Model,
  weights: Weights,
  text: readonly number[],
): Promise<ArrayLike<number>> {
  // The row of the last token is scored, whatever token follows it.
  const sequence = { tokens: Int32Array.from([...text, 0]), scoredFrom: text.length };
  const batch = uploadBatch(flatBatch([sequence]), distinctWindows(model.config));
  const states = await forwardLayers(model, weights, batch.rows);
  const logits = tidy(() => {
    const hidden = scoredHidden(model, weights, states, batch.scored);
    return matmul(hidden, parameter(weights, headName(model.config)), { form: "abt" });
  });
  const values = await read(logits);
  boundLogits(model.config, values);
  dispose([logits, states]);
  batch.dispose();
  return values;
}

/** How far the logit of `token` lies below the largest one: 0 for the greedy choice. */
export function shortfall(logits: ArrayLike<number>, token: number): number {
  return Math.max(...Array.from(logits)) - (logits[token] ?? NaN);
}
