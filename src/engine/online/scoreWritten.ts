/** What the policy and its reference think of answers that were written. */
import { flatBatch } from "../data/batch.ts";
import { promptsAtOnce } from "../generation/generate.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights, type Weights } from "../models/weights.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { scoreBatch, sumBySequence } from "../training/scoring.ts";

/** A prompt and an answer to it, as token ids. */
export interface WrittenAnswer {
  readonly promptIds: Int32Array;
  readonly answerIds: ArrayLike<number>;
}

/** Sums over the tokens of one answer, in nats; 0 of an answer without tokens. */
export interface WrittenScore {
  readonly logp: number;
  readonly referenceLogp: number;
  readonly entropy: number;
}

const NOTHING: WrittenScore = { logp: 0, referenceLogp: 0, entropy: 0 };

/** Scores answers, a few at a time, in order. */
export async function scoreWritten(
  model: Model,
  weights: Weights,
  answers: readonly WrittenAnswer[],
): Promise<WrittenScore[]> {
  const scores = answers.map(() => NOTHING);
  const written = [...answers.keys()].filter((place) => (answers[place]?.answerIds.length ?? 0) > 0);
  for (let start = 0; start < written.length; start += promptsAtOnce) {
    const places = written.slice(start, start + promptsAtOnce);
    const some = places.flatMap((place) => answers[place] ?? []);
    for (const [index, score] of (await scoreTogether(model, weights, some)).entries()) {
      scores[places[index] ?? 0] = score;
    }
  }
  return scores;
}

async function scoreTogether(
  model: Model,
  weights: Weights,
  answers: readonly WrittenAnswer[],
): Promise<WrittenScore[]> {
  const flat = flatBatch(
    answers.map(({ promptIds, answerIds }) => ({
      tokens: Int32Array.from([...promptIds, ...Array.from(answerIds)]),
      scoredFrom: promptIds.length,
    })),
  );
  const batch = uploadBatch(flat, distinctWindows(model.config));
  try {
    const policy = await scoreBatch(model, weights, batch);
    const reference = await scoreBatch(model, referenceWeights(model), batch);
    const sums = [policy.logps, reference.logps, policy.entropies].map((values) =>
      sumBySequence(flat, values),
    );
    return answers.map((_, sequence) => {
      const [logp = NaN, referenceLogp = NaN, entropy = NaN] = sums.map((sum) => sum[sequence] ?? NaN);
      return { logp, referenceLogp, entropy };
    });
  } finally {
    batch.dispose();
  }
}
