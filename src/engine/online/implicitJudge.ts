/** The reward that a policy itself implies, as a judge. */
import type { AnswerJudge } from "../judges/answerJudge.ts";
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import { scoreWritten } from "./scoreWritten.ts";

/**
 * Scores an answer with log p(policy) − log p(reference), in nats and summed over its tokens, where `weights` are the policy
 * and the model is its reference. Source: arXiv 2305.18290, equation 5 without β.
 */
export function implicitJudge(model: Model, weights: Weights): AnswerJudge {
  return {
    spec: { kind: "implicit" },
    label: "The policy itself",
    score: async (answers, signal) => {
      signal.throwIfAborted();
      const scores = await scoreWritten(model, weights, answers);
      return scores.map(({ logp, referenceLogp }) => ({ score: logp - referenceLogp }));
    },
  };
}
