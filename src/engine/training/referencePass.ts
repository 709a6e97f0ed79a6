/** Scores pairs under the reference policy, once, before training starts. */
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { lmHeadLogProbs } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { withoutAdapters, type Weights } from "../models/weights.ts";
import type {
  ReferenceAnswer,
  ReferenceCache,
  ReferenceNeeds,
  SparseFeatures,
} from "../reference/referenceCache.ts";
import { dispose, read, trimMemory } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { uploadBatch, type DeviceBatch } from "./deviceBatch.ts";
import { yielding } from "./parts.ts";
import { entryStatistics, headInputs, scoredStates, sumBySequence } from "./scoring.ts";

/** Reads the pooled features of every answer of a batch: one per sequence, chosen answers first. [2 · pairs] */
export type ReadFeatures = (pass: {
  readonly weights: Weights;
  readonly batch: DeviceBatch;
}) => Promise<readonly SparseFeatures[]>;

/** What is remembered, and how many pairs are scored at once. */
export interface ReferencePassOptions {
  readonly batchPairs: number;
  readonly needs: ReferenceNeeds;
  /** Required where features are needed. */
  readonly readFeatures?: ReadFeatures;
}

/** Fills the cache with what it lacks of the pairs, `batchPairs` at a time; yields how many pairs are done. */
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
  { needs, readFeatures }: ReferencePassOptions,
): Promise<ReferenceAnswer[]> {
  const weights = withoutAdapters(model);
  const batch = uploadBatch(pairBatch(pairs), distinctWindows(model.config));
  const held: Tensor[] = [];
  try {
    const states = await yielding(scoredStates(model, weights, batch)); // [entries, hidden]
    held.push(states);
    const scores = lmHeadLogProbs(headInputs(model, weights, { hidden: states, labels: batch.labels }));
    held.push(scores);
    const sums = sumBySequence(batch.flat, entryStatistics(await read(scores)).logps);
    const hidden = needs.hidden ? Float32Array.from(await read(states)) : null;
    const features = needs.features ? await featuresOf({ weights, batch }, readFeatures) : null;
    let firstEntry = 0;
    return [...pairs.map(({ chosen }) => chosen), ...pairs.map(({ rejected }) => rejected)].map(
      ({ length }, sequence) => {
        const [start, end] = [firstEntry, firstEntry + length].map(
          (entry) => entry * model.config.hiddenSize,
        );
        firstEntry += length;
        const own = features?.[sequence];
        return {
          sumLogps: sums[sequence] ?? NaN,
          ...(hidden === null ? {} : { hidden: hidden.slice(start, end) }), // [tokens, hidden]
          ...(own === undefined ? {} : { features: own }),
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

function featuresOf(
  pass: Parameters<ReadFeatures>[0],
  readFeatures: ReadFeatures | undefined,
): ReturnType<ReadFeatures> {
  if (readFeatures === undefined)
    throw new Error("Features are needed of the reference, and nothing reads them.");
  return readFeatures(pass);
}
