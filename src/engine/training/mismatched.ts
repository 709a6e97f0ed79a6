/** KTO's estimate of how far the policy is from the reference: answers after prompts that they do not belong to. */
import { flatBatch } from "../data/batch.ts";
import { promptOf, type TokenPair } from "../data/tokenPair.ts";
import { ObjectiveInputError, type Objective } from "../losses/objective.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights, type Weights } from "../models/weights.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { scoreBatch, sumBySequence } from "./scoring.ts";

/**
 * Log-ratio log p(policy) − log p(reference), in nats, of another pair's answer after each pair's prompt; undefined for
 * objectives that do not ask for it. Answers are rotated by one within the pairs, chosen and rejected ones in turn, and
 * both models are run, because which answer meets which prompt depends on the batch. A prompt that leaves no room for
 * the other answer is shortened as pairs are: from the left, behind its first token. Throws `ObjectiveInputError` for a
 * single pair. Source: arXiv 2402.01306, §4.1.
 */
export async function mismatchedRatiosOf(
  { model, weights, objective }: { model: Model; weights: Weights; objective: Objective },
  pairs: readonly TokenPair[],
): Promise<Float64Array | undefined> {
  if (!objective.needs.includes("mismatchedAnswers")) return undefined;
  if (pairs.length < 2) {
    throw new ObjectiveInputError(
      `${objective.label} puts answers after the prompts of other pairs, so it needs at least 2 pairs in each micro-batch`,
    );
  }
  const flat = flatBatch(
    pairs.map((pair, index) => {
      const side = index % 2 === 0 ? "chosen" : "rejected";
      const prompt = promptOf(pair, side);
      const answer = pairs[(index + 1) % pairs.length]?.[side] ?? new Int32Array();
      const fitted = shortened(prompt, model.config.maxPositions - answer.length);
      return { tokens: Int32Array.from([...fitted, ...answer]), scoredFrom: fitted.length };
    }),
  );
  const batch = uploadBatch(flat, distinctWindows(model.config));
  try {
    const policy = await scoreBatch(model, weights, batch);
    const reference = await scoreBatch(model, referenceWeights(model), batch);
    const ratios = policy.logps.map((logp, entry) => logp - (reference.logps[entry] ?? NaN));
    return sumBySequence(flat, ratios);
  } finally {
    batch.dispose();
  }
}

/** The first token of a prompt and as many of its last ones as fit into `room`. */
function shortened(prompt: Int32Array, room: number): Int32Array {
  if (prompt.length <= room) return prompt;
  return Int32Array.from([...prompt.slice(0, 1), ...prompt.slice(prompt.length - room + 1)]);
}
