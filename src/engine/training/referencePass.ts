/** Scores pairs under the reference policy, once, before training starts. */
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { withoutAdapters } from "../models/weights.ts";
import type { ReferenceCache } from "../reference/referenceCache.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { scoreBatch, sumBySequence } from "./scoring.ts";

/** Fills the cache with the pairs it lacks, `batchPairs` at a time; yields how many are done. */
export async function* rememberReference(
  model: Model,
  cache: ReferenceCache,
  pairs: readonly TokenPair[],
  batchPairs: number,
): AsyncGenerator<{ readonly done: number; readonly total: number }> {
  const missing = cache.missing(pairs);
  const weights = withoutAdapters(model);
  for (let done = 0; done < missing.length; done += batchPairs) {
    yield { done, total: missing.length };
    const some = missing.slice(done, done + batchPairs);
    const batch = uploadBatch(pairBatch(some), distinctWindows(model.config));
    try {
      const { logps } = await scoreBatch(model, weights, batch);
      const sums = sumBySequence(batch.flat, logps);
      some.forEach((pair, index) => {
        cache.set(pair, { chosen: sums[index] ?? NaN, rejected: sums[index + some.length] ?? NaN });
      });
    } finally {
      batch.dispose();
    }
  }
}
