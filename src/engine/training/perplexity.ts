/** How surprised a model is by texts. */
import { withoutStanding } from "../adapters/standing.ts";
import { flatBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights } from "../models/weights.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { scoreBatch } from "./scoring.ts";

/** Answers that are scored at once. */
const ANSWERS_AT_ONCE = 8;

/**
 * Perplexity of the chosen answers behind their prompts under the bare model, no adapters: e to the mean negative
 * log-prob of all answer tokens. NaN where there are none.
 */
export async function perplexityOf(
  model: Model,
  pairs: readonly Pick<TokenPair, "prompt" | "chosen">[],
): Promise<number> {
  const bare = withoutStanding(model);
  let [sum, count] = [0, 0];
  for (let at = 0; at < pairs.length; at += ANSWERS_AT_ONCE) {
    const sequences = pairs.slice(at, at + ANSWERS_AT_ONCE).map(({ prompt, chosen }) => ({
      tokens: Int32Array.of(...prompt, ...chosen),
      scoredFrom: prompt.length,
    }));
    const batch = uploadBatch(flatBatch(sequences), distinctWindows(model.config));
    try {
      const { logps } = await scoreBatch(bare, referenceWeights(bare), batch);
      for (const logp of logps) sum += logp;
      count += logps.length;
    } finally {
      batch.dispose();
    }
  }
  return Math.exp(-sum / count);
}
