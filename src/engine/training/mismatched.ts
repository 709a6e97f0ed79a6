/** KTO's estimate of how far the policy is from the reference: answers after prompts that they do not belong to. */
import { flatBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective } from "../losses/objective.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { withoutAdapters, type Weights } from "../models/weights.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { scoreBatch, sumBySequence } from "./scoring.ts";

/**
 * Log-ratio log p(policy) − log p(reference), in nats, of another pair's answer after each pair's prompt; undefined for
 * objectives that do not ask for it. Answers are rotated by one within the pairs, chosen and rejected ones in turn, and
 * both models are run, because which answer meets which prompt depends on the batch. Source: arXiv 2402.01306, §4.1.
 */
export async function mismatchedRatiosOf(
  { model, weights, objective }: { model: Model; weights: Weights; objective: Objective },
  pairs: readonly TokenPair[],
): Promise<Float64Array | undefined> {
  if (!objective.needs.includes("mismatchedAnswers")) return undefined;
  const flat = flatBatch(
    pairs.map(({ prompt }, index) => {
      const other = pairs[(index + 1) % pairs.length];
      const answer = (index % 2 === 0 ? other?.chosen : other?.rejected) ?? new Int32Array();
      return { tokens: Int32Array.from([...prompt, ...answer]), scoredFrom: prompt.length };
    }),
  );
  const batch = uploadBatch(flat, distinctWindows(model.config));
  try {
    const policy = await scoreBatch(model, weights, batch);
    const reference = await scoreBatch(model, withoutAdapters(model), batch);
    const ratios = policy.logps.map((logp, entry) => logp - (reference.logps[entry] ?? NaN));
    return sumBySequence(flat, ratios);
  } finally {
    batch.dispose();
  }
}
