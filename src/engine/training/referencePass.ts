/** Scores pairs under the reference policy, once, before training starts. */
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { lmHeadLogProbs } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights } from "../models/weights.ts";
import type { ReferenceAnswer, ReferenceCache, ReferenceNeeds } from "../reference/referenceCache.ts";
import { sparseFeatures } from "../sae/sparseFeatures.ts";
import { dispose, read, trimMemory } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { poolOf, readPooled, totalWidth, type FeatureTap } from "./featureTap.ts";
import { EmptyResultError, NonFiniteLossError } from "./numericErrors.ts";
import { yielding } from "./parts.ts";
import { entryStatistics, headInputs, sumBySequence, tappedStates, tensorsOfStates } from "./scoring.ts";

/** What is remembered, and how many pairs are scored at once. */
export interface ReferencePassOptions {
  readonly batchPairs: number;
  readonly needs: ReferenceNeeds;
  /** Where features are pooled; required where they are needed. */
  readonly tap?: FeatureTap | null;
}

/**
 * Fills the cache with what it lacks of the pairs, `batchPairs` at a time; yields how many pairs are done. Throws
 * `EmptyResultError` and `NonFiniteLossError`, of step 0, for a device that returns nothing or what is no number.
 */
export async function* rememberReference(
  model: Model,
  cache: ReferenceCache,
  pairs: readonly TokenPair[],
  options: ReferencePassOptions,
): AsyncGenerator<{ readonly done: number; readonly total: number }> {
  const { batchPairs, needs } = options;
  const missing = cache.missing(pairs, needs);
  for (let done = 0; done < missing.length; done += batchPairs) {
    yield { done, total: missing.length };
    const some = missing.slice(done, done + batchPairs);
    const answers = await scoreAnswers(model, some, options);
    some.forEach((pair, index) => {
      const [chosen, rejected] = [answers[index], answers[index + some.length]];
      if (chosen !== undefined && rejected !== undefined) cache.set(pair, { chosen, rejected });
    });
  }
}

/** What is remembered of each answer, chosen ones first. [2 · pairs] */
async function scoreAnswers(
  model: Model,
  pairs: readonly TokenPair[],
  { needs, tap = null }: ReferencePassOptions,
): Promise<ReferenceAnswer[]> {
  const weights = referenceWeights(model);
  const batch = uploadBatch(pairBatch(pairs), distinctWindows(model.config));
  const held: Tensor[] = [];
  try {
    if (needs.features && tap === null)
      throw new Error("Features are needed, and no autoencoder pools them.");
    const pool = needs.features && tap !== null ? poolOf(tap, batch, { hasWayBack: false }) : null;
    if (pool !== null) held.push(...pool.tensors);
    const found = await yielding(tappedStates(model, weights, batch, pool)); // [entries, hidden]
    const states = found.hidden;
    held.push(...tensorsOfStates(found));
    const scores = lmHeadLogProbs(headInputs(model, weights, { hidden: states, labels: batch.labels }));
    held.push(scores);
    const { logps } = entryStatistics(await read(scores));
    // What is remembered outlives the run, and the page.
    if (logps.every((logp) => logp === 0)) throw new EmptyResultError(0);
    if (!logps.every(Number.isFinite)) throw new NonFiniteLossError("A log-prob of the reference", 0);
    const sums = sumBySequence(batch.flat, logps);
    const hidden = needs.hidden ? Float32Array.from(await read(states)) : null;
    const pooled = (await readPooled(found.pooled))?.means;
    const width = tap === null ? 0 : totalWidth(tap);
    let firstEntry = 0;
    return [...pairs.map(({ chosen }) => chosen), ...pairs.map(({ rejected }) => rejected)].map(
      ({ length }, sequence) => {
        const [start, end] = [firstEntry, firstEntry + length].map(
          (entry) => entry * model.config.hiddenSize,
        );
        firstEntry += length;
        const own = pooled?.subarray(sequence * width, (sequence + 1) * width);
        return {
          sumLogps: sums[sequence] ?? NaN,
          ...(hidden === null ? {} : { hidden: hidden.slice(start, end) }), // [tokens, hidden]
          ...(own === undefined ? {} : { features: sparseFeatures(own) }),
        };
      },
    );
  } finally {
    dispose(held);
    batch.dispose();
    // Batches differ in length: the buffers of each would wait for one of its own size.
    trimMemory();
  }
}
