/** A held-out pair token by token: what the policy and the reference think of it. */
import { pairBatch } from "../engine/data/batch.ts";
import { promptOf } from "../engine/data/tokenPair.ts";
import { distinctWindows } from "../engine/models/config.ts";
import type { LoadedModel } from "../engine/models/loadModel.ts";
import { referenceWeights, type Weights } from "../engine/models/weights.ts";
import { uploadBatch } from "../engine/training/deviceBatch.ts";
import { scoreBatch } from "../engine/training/scoring.ts";
import { refuse } from "./errorReport.ts";
import { restorePolicy, type TrainedRun } from "./lastPolicy.ts";
import { pairText, type LoadedData } from "./library.ts";
import type { PairInspection, TokenScore } from "./protocol.ts";

/** The policy to look with: weights at hand, a checkpoint to rebuild them from, or the untouched model. */
export type PolicySource = { readonly weights: Weights | null } | TrainedRun;

/** Scores every token of one held-out pair. Refuses an index that is not there. */
export async function inspectPair(
  { loaded, data, pairIndex }: { loaded: LoadedModel; data: LoadedData; pairIndex: number },
  source: PolicySource,
): Promise<PairInspection> {
  const pair = data.heldout[pairIndex];
  const row = data.heldoutRows[pair?.row ?? -1];
  if (pair === undefined || row === undefined) {
    return refuse("CFG-1", `There is no held-out pair ${pairIndex}; there are ${data.heldout.length}.`);
  }
  const { model, tokenizer } = loaded;
  const policy = "checkpoint" in source ? restorePolicy(loaded, source) : null;
  const reference = referenceWeights(model);
  const weights = policy?.weights ?? ("weights" in source ? source.weights : null) ?? reference;
  const batch = uploadBatch(pairBatch([pair]), distinctWindows(model.config));
  try {
    const policyScores = await scoreBatch(model, weights, batch);
    const referenceScores = await scoreBatch(model, reference, batch);
    const side = (name: "chosen" | "rejected", firstEntry: number): TokenScore[] => {
      const prompt = promptOf(pair, name);
      const texts = [
        ...tokenizer.decodeTokens([...prompt]),
        ...tokenizer.decodeTokens([...pair[name]], { after: [...prompt] }),
      ];
      return texts.map((text, index) => {
        const entry = index - prompt.length;
        const isScored = entry >= 0;
        return {
          text,
          isScored,
          logp: isScored ? (policyScores.logps[firstEntry + entry] ?? NaN) : 0,
          referenceLogp: isScored ? (referenceScores.logps[firstEntry + entry] ?? NaN) : 0,
        };
      });
    };
    return {
      pairIndex,
      text: pairText(row),
      chosen: side("chosen", 0),
      rejected: side("rejected", pair.chosen.length),
    };
  } finally {
    batch.dispose();
    policy?.dispose();
  }
}
